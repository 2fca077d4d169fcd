import type { Store } from "@shipspeak/realtime";

export interface FaultState {
  /** Nothing gets out, and the browser knows it. */
  readonly offline: boolean;
  /** What is under way stands still, and nobody says so: as on a train. */
  readonly stalled: boolean;
}

type Word = Partial<FaultState> & { readonly kind: "state" | "drop" | "ask" };

const NONE: FaultState = Object.freeze({ offline: false, stalled: false });

/**
 * Faults of this browser's network, on request, to see what the product does then. All tabs have the same ones, as they
 * share one connection; a reload of the last tab ends them.
 */
export class Faults implements Store<FaultState> {
  #state = NONE;
  readonly #listeners = new Set<() => void>();
  readonly #drops = new Set<() => void>();
  readonly #channel: BroadcastChannel | null;

  constructor() {
    this.#channel = typeof BroadcastChannel === "function" ? new BroadcastChannel("shipspeak-faults") : null;
    this.#channel?.addEventListener("message", ({ data }) => this.#hear(data as Word));
    this.#say({ kind: "ask" });
  }

  readonly getSnapshot = (): FaultState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Calls `cut` when lines are dropped. */
  onDrop(cut: () => void): () => void {
    this.#drops.add(cut);
    return () => this.#drops.delete(cut);
  }

  set(change: Partial<FaultState>): void {
    this.#take(change);
    this.#say({ kind: "state", ...this.#state });
  }

  /** Cuts every open line once. */
  drop(): void {
    this.#cut();
    this.#say({ kind: "drop" });
  }

  #hear(word: Word): void {
    if (word.kind === "drop") this.#cut();
    else if (word.kind === "state") this.#take(word);
    else if (this.#state !== NONE) this.#say({ kind: "state", ...this.#state });
  }

  #take({ offline = this.#state.offline, stalled = this.#state.stalled }: Partial<FaultState>): void {
    if (offline === this.#state.offline && stalled === this.#state.stalled) return;
    this.#state = offline || stalled ? Object.freeze({ offline, stalled }) : NONE;
    if (offline) this.#cut();
    for (const listener of [...this.#listeners]) listener();
  }

  #cut(): void {
    for (const cut of [...this.#drops]) cut();
  }

  #say(word: Word): void {
    this.#channel?.postMessage(word);
  }
}
