import type { RealtimeError } from "../errors.js";
import type { SessionContext } from "../session/context.js";
import type { OpenSession } from "../session/open.js";
import type { Session, SessionEvents } from "../session/session.js";
import { pushes, type Rung } from "./ladder.js";
import { toldStep } from "./told-step.js";

/** What the climber needs of its owner. */
export interface ClimbHooks {
  readonly now: () => Rung;
  /** The rungs to try, best first. */
  readonly better: () => readonly Rung[];
  /** Events of the session once it is the connection. */
  readonly later: (session: Session, rung: Rung) => SessionEvents;
  readonly onClimbed: (session: Session, rung: Rung) => void;
}

/**
 * While the connection is on a lower rung, tries the better ones from time to time, make before break: the old
 * session goes on until the new one has proved itself, and the shared positions hide the overlap.
 */
export class Climber {
  readonly #context: SessionContext;
  readonly #hooks: ClimbHooks;
  readonly #open: OpenSession;
  #session: Session | null = null;
  #failures = 0;
  #cancel: () => void = () => {};

  constructor(context: SessionContext, open: OpenSession, hooks: ClimbHooks) {
    this.#context = context;
    this.#open = open;
    this.#hooks = hooks;
  }

  /** Plans the next try: the wait doubles with each failure, halved at most by jitter. */
  plan(): void {
    this.#cancel();
    const { environment, timing } = this.#context;
    const boundMs = Math.min(timing.probeMaxMs, timing.probeMinMs * 2 ** this.#failures);
    const waitMs = boundMs * (0.5 + environment.random() / 2);
    this.#cancel = environment.schedule(() => this.#try(this.#hooks.better()), waitMs);
  }

  /** Tries without waiting: the network is another one now. */
  hurry(): void {
    if (this.#session) return;
    this.#cancel();
    this.#failures = 0;
    this.#try(this.#hooks.better());
  }

  stop(): void {
    this.#cancel();
    this.#session?.close();
    this.#session = null;
  }

  subscriptionsChanged(): void {
    this.#session?.subscriptionsChanged();
  }

  /** Tries the first rung, and the others when that fails. */
  #try([rung, ...others]: readonly Rung[]): void {
    if (!rung) return;
    const { environment, timing } = this.#context;
    let events: SessionEvents | null = null;
    const mine = () => this.#session === session && !events;
    const climb = () => {
      if (!mine()) return;
      this.#cancel();
      this.#session = null;
      this.#failures = 0;
      events = this.#hooks.later(session, rung);
      this.#hooks.onClimbed(session, rung);
      session.adopted();
    };
    const failed = (error: RealtimeError) => {
      if (!mine()) return;
      this.#cancel();
      session.close();
      this.#session = null;
      if (error.kind === "aborted") return;
      if (others.length > 0) return this.#try(others);
      this.#failures += 1;
      this.plan();
    };
    const sentAway = () => {
      this.#cancel();
      this.#session = null;
      this.plan();
    };
    const session: Session = this.#open(rung, {
      welcome: () => {
        // A poll that answers proves nothing about one that waits.
        if (mine() && pushes(rung)) this.#cancel = environment.schedule(climb, timing.probeSettleMs);
      },
      step: () => toldStep(this.#hooks.now(), "probed"),
      connecting: () => {},
      caughtUp: () => events?.caughtUp(),
      heartbeat: () => (events ? events.heartbeat() : pushes(rung) && climb()),
      waited: () => (events ? events.waited() : climb()),
      expiring: () => events?.expiring(),
      lost: (error, waiting) => (events ? events.lost(error, waiting) : failed(error)),
      isConnection: () => events !== null,
      sentAway: (withinMs) => (events ? events.sentAway(withinMs) : sentAway()),
    });
    this.#session = session;
    session.start();
  }
}
