import { RealtimeError } from "../errors.js";
import type { SessionContext } from "./context.js";
import { unaryWorks } from "./poll.js";

/**
 * Finds out, beside a stream that is being opened, whether streams are held back on the way (a buffering proxy):
 * Poll answers and Welcome has not come in time. What the Poll brings is delivered, so people see news meanwhile.
 */
export class BlockedCheck {
  readonly #context: SessionContext;
  readonly #onBlocked: (error: RealtimeError) => void;
  readonly #stop = new AbortController();
  #cancel: () => void = () => {};

  constructor(context: SessionContext, onBlocked: (error: RealtimeError) => void) {
    this.#context = context;
    this.#onBlocked = onBlocked;
  }

  start(): void {
    const { environment, timing } = this.#context;
    const began = environment.now();
    this.#cancel = environment.schedule(() => void this.#ask(began), timing.parallelPollMs);
  }

  stop(): void {
    this.#cancel();
    this.#stop.abort();
  }

  /** After a failure before Welcome: whether unary calls get through all the same. */
  unaryWorks(): Promise<boolean> {
    return unaryWorks(this.#context, this.#stop.signal);
  }

  async #ask(began: number): Promise<void> {
    const { environment, timing } = this.#context;
    if (!(await unaryWorks(this.#context, this.#stop.signal)) || this.#stop.signal.aborted) return;
    const leftMs = began + timing.welcomeMs - environment.now();
    this.#cancel = environment.schedule(() => this.#onBlocked(blocked()), Math.max(0, leftMs));
  }
}

function blocked(): RealtimeError {
  return new RealtimeError("The stream does not get through, while single calls do.", {
    kind: "unsupported",
  });
}
