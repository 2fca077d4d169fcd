import type { RealtimeError } from "../errors.js";
import { ErrorReason } from "../gen/shipspeak/realtime/v1/error_reason_pb.js";
import type { Commands } from "./commands.js";
import { type SessionContext, WINDOW_BYTES } from "./context.js";

/** Reports after this many bytes, so that three quarters of the window stay open. */
const REPORT_BYTES = WINDOW_BYTES / 4;
/** The time for a sign of life comes a little early, so that jitter does not double the interval. */
const EARLY = 0.9;

/**
 * Reports bytes handled, as a running total, and so gives the sign of life. One report at a time. It is driven by
 * the hub's frames and not by timers, which hidden pages run once a minute.
 */
export class Reporter {
  readonly #context: SessionContext;
  readonly #commands: Commands;
  readonly #intervalMs: number;
  readonly #signal: AbortSignal;
  readonly #onDead: (error: RealtimeError) => void;
  #handled = 0;
  #reported = 0;
  #touchedAt = Number.NEGATIVE_INFINITY;
  #running = false;

  constructor(
    context: SessionContext,
    session: { readonly commands: Commands; readonly intervalMs: number; readonly signal: AbortSignal },
    onDead: (error: RealtimeError) => void,
  ) {
    this.#context = context;
    this.#commands = session.commands;
    this.#intervalMs = session.intervalMs;
    this.#signal = session.signal;
    this.#onDead = onDead;
  }

  /** A frame was handled; `bytes` is its size when it had runs, else 0. */
  handled(bytes: number): void {
    this.#handled += bytes;
    if (!this.#running && this.#due()) void this.#touch();
  }

  #due(): boolean {
    if (this.#handled - this.#reported >= REPORT_BYTES) return true;
    return this.#context.environment.now() - this.#touchedAt >= this.#intervalMs * EARLY;
  }

  async #touch(): Promise<void> {
    const { environment, onRoundTrip } = this.#context;
    this.#running = true;
    const began = environment.now();
    this.#touchedAt = began;
    this.#reported = this.#handled;
    try {
      await this.#commands.touch(this.#handled);
      onRoundTrip(environment.now() - began);
    } catch (thrown) {
      const error = thrown as RealtimeError;
      // Other failures are left to the stream: the total is absolute, so the next call makes up for this one.
      if (error.reason === ErrorReason.SESSION_UNKNOWN) this.#onDead(error);
    } finally {
      this.#running = false;
    }
    if (!this.#signal.aborted && this.#handled - this.#reported >= REPORT_BYTES) await this.#touch();
  }
}
