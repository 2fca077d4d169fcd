import type { Environment } from "../environment.js";

/** A mark in the browser's storage, for pages that hear nothing while they are put away. Without storage there is none. */
export class SignOuts {
  readonly #environment: Environment;
  readonly #key: string;
  #known: string | null = null;

  constructor(environment: Environment, scope: string) {
    this.#environment = environment;
    this.#key = `${scope}:signed-out`;
  }

  /** The user signs out here. */
  set(): void {
    const { now, random } = this.#environment;
    this.#known = `${now()}.${random()}`;
    try {
      this.#environment.storage()?.setItem(this.#key, this.#known);
    } catch {
      // Storage is full or blocked.
    }
  }

  /** Whether somebody has signed out since this was asked last. */
  isNew(): boolean {
    const before = this.#known;
    try {
      this.#known = this.#environment.storage()?.getItem(this.#key) ?? null;
    } catch {
      // Storage is blocked.
    }
    return this.#known !== before;
  }
}
