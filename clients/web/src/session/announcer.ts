import type { RealtimeError } from "../errors.js";
import { ErrorReason } from "../gen/shipspeak/realtime/v1/error_reason_pb.js";
import type { SetPresenceInit } from "../presence/book.js";
import { toWire } from "../presence/state.js";
import type { Commands } from "./commands.js";
import type { SessionContext } from "./context.js";

/** While somebody can be seen, the hub hears of it this often. */
const SIGN_OF_LIFE_MS = 5000;

/** Says on one session what others see of this client: at its begin, at each change, and again as a sign of life. */
export class Announcer {
  readonly #context: SessionContext;
  readonly #commands: Commands;
  readonly #signal: AbortSignal;
  #last: Promise<void> = Promise.resolve();
  #cancel: () => void = () => {};

  constructor(
    context: SessionContext,
    session: { readonly commands: Commands; readonly signal: AbortSignal },
  ) {
    this.#context = context;
    this.#commands = session.commands;
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

  /** A hub that this does not reach finds out by itself. */
  #leave(): void {
    if (this.#signal.aborted) return;
    for (const { topic } of this.#context.presence.wishes) {
      this.#commands.leave({ topic, state: toWire("offline") });
    }
  }

  /** One after the other, so that the last word is the one that stands. */
  #say(presence: SetPresenceInit): void {
    this.#last = this.#last.then(() => this.#touch(presence));
  }

  async #touch(presence: SetPresenceInit): Promise<void> {
    if (this.#signal.aborted) return;
    await this.#commands.present(presence, (error) => this.#refused(presence.topic, error));
  }

  #refused(topic: string, error: RealtimeError): void {
    // Failures of the network are made good by the next time; a refusal would be the same again.
    const known = error.reason === ErrorReason.SESSION_UNKNOWN || error.retryable || error.kind === "aborted";
    if (known) return;
    this.#context.presence.forget(topic);
    this.#context.environment.report(error);
  }
}
