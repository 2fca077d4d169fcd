import type { Store } from "@shipspeak/realtime";
import type { Backend, Person } from "../backend.js";

const AGAIN_MS = 2000;
const NOBODY: readonly Person[] = Object.freeze([]);

/** Who may sign in. It is read when first asked for, and again until the back end, which may be later, answers. */
export class People implements Store<readonly Person[]> {
  readonly #backend: Backend;
  readonly #listeners = new Set<() => void>();
  #people = NOBODY;
  #asked = false;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  readonly getSnapshot = (): readonly Person[] => this.#people;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (!this.#asked) {
      this.#asked = true;
      void this.#load();
    }
    return () => this.#listeners.delete(listener);
  };

  async #load(): Promise<void> {
    try {
      this.#people = await this.#backend.people();
      for (const listener of [...this.#listeners]) listener();
    } catch {
      setTimeout(() => void this.#load(), AGAIN_MS);
    }
  }
}
