import { browserEnvironment, type Environment, type WakeReason } from "../../src/environment.js";

/** Real time, chosen random numbers, page events by hand; exceptions of listeners are kept. */
export class TestEnvironment implements Environment {
  readonly #real = browserEnvironment();
  readonly reported: unknown[] = [];
  randomValue = 0;
  isOnline = true;
  #wake: (reason: WakeReason) => void = () => {};

  now = () => this.#real.now();
  random = () => this.randomValue;
  schedule = (task: () => void, ms: number) => this.#real.schedule(task, ms);
  online = () => this.isOnline;
  hidden = () => false;
  report = (error: unknown) => void this.reported.push(error);

  onWake(listener: (reason: WakeReason) => void): () => void {
    this.#wake = listener;
    return () => {
      this.#wake = () => {};
    };
  }

  wake(reason: WakeReason): void {
    this.#wake(reason);
  }
}
