import { Cell, type Store } from "../store.js";

export type ToastTone = "info" | "good" | "warning" | "danger";

export interface ToastAction {
  readonly label: string;
  readonly onClick: () => void;
}

export interface Toast {
  readonly id: string;
  readonly title: string;
  readonly body?: string;
  /** Default `info`. `danger` interrupts what a screen reader reads. */
  readonly tone?: ToastTone;
  readonly action?: ToastAction;
  /** How long it stays, in milliseconds; default 6000, `Infinity` = until it is closed. One with an action stays 10 s at least. */
  readonly durationMs?: number;
}

const TOAST_MS = 6000;
const ACTION_MS = 10_000;
/** Most toasts that are kept; the oldest go. */
const MAX_TOASTS = 20;

const cell = new Cell<readonly Toast[]>(Object.freeze([]), (error) => globalThis.reportError(error));
let count = 0;

/** All toasts, oldest first. */
export const toasts: Store<readonly Toast[]> = cell;

/** Shows a toast wherever a `<Toaster>` is, and gives its id. One with the id of another takes its place. */
export function toast(toast: Omit<Toast, "id"> & { readonly id?: string }): string {
  count += 1;
  const id = toast.id ?? `toast-${count}`;
  const others = cell.getSnapshot().filter((one) => one.id !== id);
  cell.set(Object.freeze([...others, { ...toast, id }].slice(-MAX_TOASTS)));
  return id;
}

/** Takes a toast away; without an id, all. */
export function closeToast(id?: string): void {
  const left = id === undefined ? [] : cell.getSnapshot().filter((one) => one.id !== id);
  if (left.length !== cell.getSnapshot().length) cell.set(Object.freeze(left));
}

/** How long a toast stays, in milliseconds. */
export function durationOf({ action, durationMs = TOAST_MS }: Toast): number {
  return action ? Math.max(durationMs, ACTION_MS) : durationMs;
}
