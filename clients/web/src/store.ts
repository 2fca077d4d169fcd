/** A value that changes, in the shape of React's useSyncExternalStore. */
export interface Store<T> {
  /** The present value; its identity changes only when it changes. */
  getSnapshot(): T;
  /** Calls `listener` after each change; the result ends it. */
  subscribe(listener: () => void): () => void;
}

/** A store with a setter, for the module that owns the value. */
export class Cell<T> implements Store<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();
  readonly #report: (error: unknown) => void;

  constructor(value: T, report: (error: unknown) => void) {
    this.#value = value;
    this.#report = report;
  }

  readonly getSnapshot = (): T => this.#value;

  readonly subscribe = (listener: () => void): (() => void) => {
    const own = () => listener(); // the same function may be subscribed twice
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  };

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        this.#report(error);
      }
    }
  }
}
