export interface LeadershipEvents {
  /** The lock is held from now on. */
  gained(): void;
  /** Another tab has taken it. */
  lost(): void;
  /** The browser does not give locks here. */
  unusable(error: unknown): void;
}

/** A place in line for the lock of which a scope has one, or the lock itself. */
export class Leadership {
  readonly #locks: LockManager;
  readonly #name: string;
  readonly #events: LeadershipEvents;
  /** Stands for the latest request; an older one is over whatever it says. */
  #place: AbortController | null = null;
  #release: (() => void) | null = null;

  constructor(locks: LockManager, name: string, events: LeadershipEvents) {
    this.#locks = locks;
    this.#name = name;
    this.#events = events;
  }

  get held(): boolean {
    return this.#release !== null;
  }

  /** Lines up, unless it stands there or holds the lock. */
  ask(): void {
    if (this.#place) return;
    const place = new AbortController();
    this.#request(place, { signal: place.signal });
  }

  /** Takes the lock from whoever holds it: for a holder that does not answer. */
  steal(): void {
    if (this.held) return;
    this.#place?.abort();
    this.#request(new AbortController(), { steal: true });
  }

  /** Gives the lock back, or leaves the line. */
  resign(): void {
    const place = this.#place;
    this.#place = null;
    this.#release?.();
    this.#release = null;
    place?.abort();
  }

  #request(place: AbortController, options: LockOptions): void {
    this.#place = place;
    const over = (error: unknown) => {
      if (this.#place !== place) return;
      const { held } = this;
      this.#place = null;
      this.#release = null;
      if (held) this.#events.lost();
      else this.#events.unusable(error);
    };
    try {
      void this.#locks.request(this.#name, options, () => this.#hold(place)).catch(over);
    } catch (error) {
      over(error);
    }
  }

  #hold(place: AbortController): Promise<void> | undefined {
    if (this.#place !== place) return undefined;
    const held = new Promise<void>((resolve) => {
      this.#release = resolve;
    });
    this.#events.gained();
    return held;
  }
}
