/** Runs tasks one after the other within a lane; lanes do not wait for each other. */
export class Lanes {
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs `task` when all earlier ones of its lane have ended, however they ended. */
  run(lane: string, task: () => Promise<void>): void {
    const tail = (this.#tails.get(lane) ?? Promise.resolve()).then(task, task);
    this.#tails.set(lane, tail);
    void tail.finally(() => {
      if (this.#tails.get(lane) === tail) this.#tails.delete(lane);
    });
  }
}
