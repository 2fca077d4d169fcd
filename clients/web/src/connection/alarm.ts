import type { Environment } from "../environment.js";

/** One planned moment. */
export class Alarm {
  readonly #environment: Environment;
  readonly #ring: () => void;
  #cancel: () => void = () => {};
  /** In milliseconds since 1970; null = none is planned. */
  at: number | null = null;

  constructor(environment: Environment, ring: () => void) {
    this.#environment = environment;
    this.#ring = ring;
  }

  /** Plans it anew, `ms` from now. */
  set(ms: number): void {
    this.clear();
    this.at = this.#environment.now() + ms;
    this.#cancel = this.#environment.schedule(this.#ring, ms);
  }

  clear(): void {
    this.#cancel();
    this.at = null;
  }
}
