import type { RealtimeError } from "../errors.js";
import { ErrorReason } from "../gen/shipspeak/realtime/v1/error_reason_pb.js";
import { RealtimeService } from "../gen/shipspeak/realtime/v1/realtime_service_pb.js";
import type { SetPresenceInit } from "../presence/book.js";
import { toWire } from "../presence/state.js";
import { callOptions, type SessionContext } from "./context.js";

/** While somebody can be seen, the hub hears of it this often. */
const SIGN_OF_LIFE_MS = 5000;

/** Says on one stream what others see of this client: at its begin, at each change, and again as a sign of life. */
export class Announcer {
  readonly #context: SessionContext;
  readonly #sessionId: string;
  readonly #signal: AbortSignal;
  #last: Promise<void> = Promise.resolve();
  #cancel: () => void = () => {};

  constructor(context: SessionContext, session: { readonly id: string; readonly signal: AbortSignal }) {
    this.#context = context;
    this.#sessionId = session.id;
    this.#signal = session.signal;
  }

  start(): void {
    const { presence } = this.#context;
    presence.onWish = (wish) => {
      this.#say(wish);
      this.#repeat();
    };
    presence.onLeave = () => this.#leave();
    for (const wish of presence.wishes) this.#say(wish);
    this.#repeat();
    this.#signal.addEventListener("abort", () => this.#cancel());
  }

  #repeat(): void {
    this.#cancel();
    if (this.#signal.aborted || this.#context.presence.wishes.length === 0) return;
    this.#cancel = this.#context.environment.schedule(() => {
      for (const wish of this.#context.presence.wishes) this.#say(wish);
      this.#repeat();
    }, SIGN_OF_LIFE_MS);
  }

  /** The stream ends with its signal; these calls outlive it. A hub that they do not reach finds out by itself. */
  #leave(): void {
    if (this.#signal.aborted) return;
    const { transport, presence } = this.#context;
    for (const { topic } of presence.wishes) {
      const request = { sessionId: this.#sessionId, presence: { topic, state: toWire("offline") } };
      const options = callOptions(this.#context, new AbortController().signal);
      transport.unary(RealtimeService.method.touch, request, options).catch(() => {});
    }
  }

  /** One after the other, so that the last word is the one that stands. */
  #say(presence: SetPresenceInit): void {
    this.#last = this.#last.then(() => this.#touch(presence));
  }

  async #touch(presence: SetPresenceInit): Promise<void> {
    if (this.#signal.aborted) return;
    const request = { sessionId: this.#sessionId, presence };
    try {
      await this.#context.transport.unary(
        RealtimeService.method.touch,
        request,
        callOptions(this.#context, this.#signal),
      );
    } catch (thrown) {
      const error = thrown as RealtimeError;
      // Failures of the network are made good by the next time; a refusal would be the same again.
      const known =
        error.reason === ErrorReason.SESSION_UNKNOWN || error.retryable || error.kind === "aborted";
      if (known) return;
      this.#context.presence.forget(presence.topic);
      this.#context.environment.report(error);
    }
  }
}
