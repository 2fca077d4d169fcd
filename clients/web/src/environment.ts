/** Why the page asks for a fresh look at the connection. */
export type WakeReason = "online" | "visible" | "restored" | "resumed";

/**
 * How the page goes out of sight: `hidden` behind another one; `frozen` by the browser; `leaving` for another
 * document, perhaps into the back/forward cache.
 */
export type SleepReason = "hidden" | "frozen" | "leaving";

/** The part of Web Storage that is used. */
export type KeyValueStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** Everything the client takes from its surroundings; tests inject their own. */
export interface Environment {
  /** Wall clock in milliseconds. Liveness is judged by it, since timers of hidden pages are throttled. */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** Runs `task` once after `ms`; the result cancels it. */
  schedule(task: () => void, ms: number): () => void;
  /** What the browser believes; false is trusted only together with a failed call. */
  online(): boolean;
  hidden(): boolean;
  /** The person asked the browser to save data. */
  savesData(): boolean;
  /** For small facts that survive a reload; null = there is none. May throw, and what it gives may throw. */
  storage(): KeyValueStorage | null;
  /** Calls `listener` when the page comes online, becomes visible, is thawed or returns from the back/forward cache. */
  onWake(listener: (reason: WakeReason) => void): () => void;
  /** Calls `listener` when the page goes out of sight. */
  onSleep(listener: (reason: SleepReason) => void): () => void;
  /** Where exceptions of the application's own listeners go. */
  report(error: unknown): void;
}

/** The real surroundings, in a browser or outside of one. Touches no global until it is used. */
export function browserEnvironment(): Environment {
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    schedule: (task, ms) => {
      const timer = setTimeout(task, ms);
      return () => clearTimeout(timer);
    },
    online: () => globalThis.navigator?.onLine !== false,
    hidden: () => globalThis.document?.visibilityState === "hidden",
    savesData: () => (globalThis.navigator as SavingNavigator | undefined)?.connection?.saveData === true,
    storage: () => (typeof window === "undefined" ? null : window.localStorage),
    onWake: listenForWake,
    onSleep: listenForSleep,
    report: (error) => {
      if (typeof globalThis.reportError === "function") globalThis.reportError(error);
      else queueMicrotask(() => throwAgain(error));
    },
  };
}

/** Not in every browser, so not in TypeScript's. */
interface SavingNavigator {
  readonly connection?: { readonly saveData?: boolean };
}

function throwAgain(error: unknown): never {
  throw error;
}

function listenForWake(listener: (reason: WakeReason) => void): () => void {
  if (typeof window === "undefined") return () => {};
  const stop = new AbortController();
  const options = { signal: stop.signal };
  window.addEventListener("online", () => listener("online"), options);
  window.addEventListener("pageshow", (event) => event.persisted && listener("restored"), options);
  document.addEventListener("resume", () => listener("resumed"), options);
  document.addEventListener(
    "visibilitychange",
    () => document.visibilityState === "visible" && listener("visible"),
    options,
  );
  return () => stop.abort();
}

function listenForSleep(listener: (reason: SleepReason) => void): () => void {
  if (typeof window === "undefined") return () => {};
  const stop = new AbortController();
  const options = { signal: stop.signal };
  window.addEventListener("pagehide", () => listener("leaving"), options);
  document.addEventListener("freeze", () => listener("frozen"), options);
  document.addEventListener(
    "visibilitychange",
    () => document.visibilityState === "hidden" && listener("hidden"),
    options,
  );
  return () => stop.abort();
}
