import type { RealtimeError } from "../errors.js";
import { ErrorReason } from "../gen/shipspeak/realtime/v1/error_reason_pb.js";
import type { Commands } from "./commands.js";
import type { SessionContext } from "./context.js";

/** Changes of one moment (components that mount together) go out in one call. */
const COLLECT_MS = 10;
const RETRY_MS = 1000;

/** Keeps the hub's set of a stream's subscriptions equal to the registry's, with rising revisions, one call at a time. */
export class SubscriptionUpdater {
  readonly #context: SessionContext;
  readonly #commands: Commands;
  readonly #signal: AbortSignal;
  readonly #onDead: (error: RealtimeError) => void;
  #revision = 0n;
  #scheduled = false;
  #running = false;
  #again = false;

  constructor(
    context: SessionContext,
    session: { readonly commands: Commands; readonly signal: AbortSignal },
    onDead: (error: RealtimeError) => void,
  ) {
    this.#context = context;
    this.#commands = session.commands;
    this.#signal = session.signal;
    this.#onDead = onDead;
  }

  changed(): void {
    this.#schedule(COLLECT_MS);
  }

  #schedule(ms: number): void {
    if (this.#running) this.#again = true;
    else if (!this.#scheduled) {
      this.#scheduled = true;
      this.#context.environment.schedule(() => void this.#send(), ms);
    }
  }

  async #send(): Promise<void> {
    this.#scheduled = false;
    if (this.#signal.aborted) return;
    this.#running = true;
    let retry = false;
    try {
      await this.#call();
    } catch (thrown) {
      retry = this.#failed(thrown as RealtimeError);
    }
    this.#running = false;
    if (retry) this.#schedule(RETRY_MS);
    else if (this.#again) this.#schedule(COLLECT_MS);
    this.#again = false;
  }

  async #call(): Promise<void> {
    this.#revision += 1n;
    await this.#commands.update(this.#revision, this.#context.registry.subscriptions());
  }

  /** True when the same set should be sent again. */
  #failed(error: RealtimeError): boolean {
    if (error.reason === ErrorReason.REVISION_STALE) {
      this.#revision = BigInt(error.metadata["revision"] ?? this.#revision);
      return true;
    }
    if (error.retryable) return true;
    if (error.kind !== "aborted") this.#onDead(error);
    return false;
  }
}
