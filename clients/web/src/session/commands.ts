import { type RealtimeError, toRealtimeError } from "../errors.js";
import { RealtimeService } from "../gen/shipspeak/realtime/v1/realtime_service_pb.js";
import type { SetPresenceInit } from "../presence/book.js";
import type { SubscribeInit } from "../topics/registry.js";
import { callOptions, type SessionContext } from "./context.js";

/** What a client says on a running session. Fails with RealtimeError. */
export interface Commands {
  /** Sign of life and window report; resolves with the hub's answer, so that it measures the round trip. */
  touch(handledBytes: number): Promise<void>;
  /** Makes the hub's set of subscriptions this one; `revision` rises with each call. */
  update(revision: bigint, subscriptions: readonly SubscribeInit[]): Promise<void>;
  /** Sets what others see; resolves when the next may be said. A refusal is told to `refused`, perhaps later. */
  present(presence: SetPresenceInit, refused: (error: RealtimeError) => void): Promise<void>;
  /** Takes presence back while the session ends; nobody waits for it. */
  leave(presence: SetPresenceInit): void;
  /** Replaces the session's token. */
  refresh(token: string): Promise<void>;
}

/** The commands of a session on a server stream: unary calls that name it. */
export class UnaryCommands implements Commands {
  readonly #context: SessionContext;
  readonly #sessionId: string;
  readonly #signal: AbortSignal;

  constructor(context: SessionContext, sessionId: string, signal: AbortSignal) {
    this.#context = context;
    this.#sessionId = sessionId;
    this.#signal = signal;
  }

  async touch(handledBytes: number): Promise<void> {
    await this.#touch({ handledBytes: BigInt(handledBytes) }, this.#signal);
  }

  async present(presence: SetPresenceInit, refused: (error: RealtimeError) => void): Promise<void> {
    try {
      await this.#touch({ presence }, this.#signal);
    } catch (thrown) {
      refused(toRealtimeError(thrown));
    }
  }

  leave(presence: SetPresenceInit): void {
    // The session ends with its signal; this call outlives it.
    this.#touch({ presence }, new AbortController().signal).catch(() => {});
  }

  async update(revision: bigint, subscriptions: readonly SubscribeInit[]): Promise<void> {
    const request = { sessionId: this.#sessionId, revision, subscriptions: [...subscriptions] };
    const options = callOptions(this.#context, this.#signal);
    await this.#context.transport.unary(RealtimeService.method.updateSubscriptions, request, options);
  }

  async refresh(token: string): Promise<void> {
    const request = { sessionId: this.#sessionId, token };
    const options = callOptions(this.#context, this.#signal);
    await this.#context.transport.unary(RealtimeService.method.refreshSession, request, options);
  }

  #touch(what: { handledBytes: bigint } | { presence: SetPresenceInit }, signal: AbortSignal) {
    const request = { sessionId: this.#sessionId, ...what };
    return this.#context.transport.unary(
      RealtimeService.method.touch,
      request,
      callOptions(this.#context, signal),
    );
  }
}
