import {
  browserEnvironment,
  type Environment,
  type KeyValueStorage,
  type SleepReason,
  type WakeReason,
} from "../../src/environment.js";

/** Real time, chosen random numbers, page events by hand; exceptions of listeners are kept. */
export class TestEnvironment implements Environment {
  readonly #real = browserEnvironment();
  readonly reported: unknown[] = [];
  randomValue = 0;
  isOnline = true;
  isHidden = false;
  readonly kept = new Map<string, string>();
  #wake: (reason: WakeReason) => void = () => {};
  #sleep: (reason: SleepReason) => void = () => {};

  now = () => this.#real.now();
  random = () => this.randomValue;
  schedule = (task: () => void, ms: number) => this.#real.schedule(task, ms);
  online = () => this.isOnline;
  hidden = () => this.isHidden;
  savesData = () => false;
  report = (error: unknown) => void this.reported.push(error);

  onWake(listener: (reason: WakeReason) => void): () => void {
    this.#wake = listener;
    return () => {
      this.#wake = () => {};
    };
  }

  onSleep(listener: (reason: SleepReason) => void): () => void {
    this.#sleep = listener;
    return () => {
      this.#sleep = () => {};
    };
  }

  storage(): KeyValueStorage {
    return {
      getItem: (key) => this.kept.get(key) ?? null,
      setItem: (key, value) => void this.kept.set(key, value),
      removeItem: (key) => void this.kept.delete(key),
    };
  }

  sleep(reason: SleepReason): void {
    this.#sleep(reason);
  }

  wake(reason: WakeReason): void {
    this.#wake(reason);
  }
}
