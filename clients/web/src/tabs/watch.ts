import type { Environment } from "../environment.js";
import type { TabsHost } from "./host.js";

/** Silence of this many signs of life is suspicious. */
const SILENT_BEATS = 2.5;
/** A tab that nobody looks at is in no hurry: it may be asleep itself. */
const HIDDEN_PATIENCE = 10;

/** Notices a leader that has died or was frozen: silence, a question, no answer. */
export class Watch {
  readonly #environment: Environment;
  readonly #host: TabsHost;
  readonly #ask: () => void;
  readonly #onDead: () => void;
  #beatMs = 0;
  #heardAt = 0;
  #cancel: () => void = () => {};

  constructor(environment: Environment, host: TabsHost, ask: () => void, onDead: () => void) {
    this.#environment = environment;
    this.#host = host;
    this.#ask = ask;
    this.#onDead = onDead;
  }

  /** The leader has given a sign of life, and will again about each `beatMs`. */
  heard(beatMs: number = this.#beatMs): void {
    this.#beatMs = beatMs;
    this.#heardAt = this.#environment.now();
    this.#cancel();
    this.#cancel = this.#environment.schedule(() => this.question(), beatMs * SILENT_BEATS);
  }

  /** Looks at the clock now, since timers of hidden pages are late. */
  check(): void {
    if (this.#beatMs > 0 && this.#environment.now() - this.#heardAt >= this.#beatMs * SILENT_BEATS)
      this.question();
  }

  /** Asks for a sign of life; without one the leader is taken for dead. */
  question(): void {
    const patience = this.#host.hidden() ? HIDDEN_PATIENCE : 1;
    this.#cancel();
    this.#ask();
    this.#cancel = this.#environment.schedule(this.#onDead, this.#host.answerMs * patience);
  }

  stop(): void {
    this.#cancel();
    this.#beatMs = 0;
  }
}
