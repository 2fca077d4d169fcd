import type { RealtimeError } from "../errors.js";
import type { SessionContext } from "../session/context.js";
import type { Session, SessionEvents } from "../session/session.js";
import { StreamSession } from "../session/stream-session.js";

/**
 * While polling, tries the stream again from time to time, make before break: polling goes on until the stream
 * has proved itself, and the shared positions hide the overlap.
 */
export class Climber {
  readonly #context: SessionContext;
  /** Events of the stream once it is the connection. */
  readonly #later: (session: Session) => SessionEvents;
  readonly #onClimbed: (session: Session) => void;
  #session: Session | null = null;
  #failures = 0;
  #cancel: () => void = () => {};

  constructor(
    context: SessionContext,
    later: (session: Session) => SessionEvents,
    onClimbed: (session: Session) => void,
  ) {
    this.#context = context;
    this.#later = later;
    this.#onClimbed = onClimbed;
  }

  /** Plans the next try: the wait doubles with each failure, halved at most by jitter. */
  plan(): void {
    this.#cancel();
    const { environment, timing } = this.#context;
    const boundMs = Math.min(timing.probeMaxMs, timing.probeMinMs * 2 ** this.#failures);
    this.#cancel = environment.schedule(() => this.#try(), boundMs * (0.5 + environment.random() / 2));
  }

  /** Tries without waiting: the network is another one now. */
  hurry(): void {
    if (this.#session) return;
    this.#cancel();
    this.#failures = 0;
    this.#try();
  }

  stop(): void {
    this.#cancel();
    this.#session?.close();
    this.#session = null;
  }

  subscriptionsChanged(): void {
    this.#session?.subscriptionsChanged();
  }

  #try(): void {
    const { environment, timing } = this.#context;
    let events: SessionEvents | null = null;
    const climb = () => {
      if (events || this.#session !== session) return;
      this.#cancel();
      this.#session = null;
      this.#failures = 0;
      events = this.#later(session);
      this.#onClimbed(session);
    };
    const failed = (error: RealtimeError) => {
      this.#session = null;
      this.#failures += 1;
      if (error.kind !== "aborted") this.plan();
    };
    const sentAway = () => {
      this.#session = null;
      this.plan();
    };
    const session: Session = new StreamSession(this.#context, {
      welcome: () => {
        this.#cancel = environment.schedule(climb, timing.probeSettleMs);
      },
      caughtUp: () => events?.caughtUp(),
      heartbeat: () => (events ? events.heartbeat() : climb()),
      expiring: () => events?.expiring(),
      lost: (error) => (events ? events.lost(error) : failed(error)),
      readsOn: () => events !== null,
      sentAway: (withinMs) => (events ? events.sentAway(withinMs) : sentAway()),
    });
    this.#session = session;
    session.start();
  }
}
