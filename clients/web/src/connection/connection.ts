import type { WakeReason } from "../environment.js";
import { RealtimeError, toRealtimeError } from "../errors.js";
import { BlockedCheck } from "../session/blocked-check.js";
import type { SessionContext } from "../session/context.js";
import { PollSession } from "../session/poll-session.js";
import type { Session, SessionEvents } from "../session/session.js";
import { StreamSession } from "../session/stream-session.js";
import { backoffDelay } from "./backoff.js";
import type { Board } from "./board.js";
import { Climber } from "./climber.js";
import {
  type Effect,
  INITIAL,
  type MachineEvent,
  type MachineState,
  type Rung,
  transition,
} from "./machine.js";

/** Keeps one session alive: runs the machine's effects and feeds it what happens. All decisions are the machine's. */
export class Connection {
  readonly #context: SessionContext;
  readonly #board: Board;
  readonly #climber: Climber;
  #state: MachineState = INITIAL;
  #session: Session | null = null;
  #check: BlockedCheck | null = null;
  #retryAt: number | null = null;
  #cancelRetry: () => void = () => {};
  #cancelSettle: () => void = () => {};
  #stopWake: (() => void) | null = null;

  constructor(context: SessionContext, board: Board) {
    this.#context = context;
    this.#board = board;
    this.#climber = new Climber(
      context,
      (session) => this.#eventsOf(() => session, "stream"),
      (session) => this.#climbed(session),
    );
  }

  connect(): void {
    this.#stopWake ??= this.#context.environment.onWake((reason) => this.#woken(reason));
    this.#dispatch({ type: "connect" });
  }

  disconnect(): void {
    this.#end({ type: "disconnect" });
  }

  close(): void {
    this.#end({ type: "close" });
  }

  /** Tries at once, also after a failure that only a person can mend. */
  retryNow(): void {
    this.#dispatch({ type: "retry" });
  }

  subscriptionsChanged(): void {
    this.#session?.subscriptionsChanged();
    this.#climber.subscriptionsChanged();
  }

  #end(event: MachineEvent): void {
    this.#dispatch(event);
    this.#stopWake?.();
    this.#stopWake = null;
  }

  #dispatch(event: MachineEvent): void {
    const before = this.#state;
    const [state, effects] = transition(before, event);
    if (state === before && effects.length === 0) return;
    this.#state = state;
    if (state.phase !== before.phase) this.#leave(before);
    for (const effect of effects) this.#run(effect);
    if (state.phase === "live" && before.phase !== "live") this.#enterLive();
    this.#board.moved(this.#state, this.#retryAt);
  }

  #leave(before: MachineState): void {
    if (before.phase === "backoff" || before.phase === "offline") this.#clearRetry();
    if (before.phase === "live") this.#cancelSettle();
  }

  #enterLive(): void {
    const { environment, timing } = this.#context;
    this.#cancelSettle = environment.schedule(() => this.#dispatch({ type: "settled" }), timing.settledMs);
    if (this.#state.rung === "longpoll") this.#climber.plan();
  }

  #run(effect: Effect): void {
    const { environment, timing, count } = this.#context;
    switch (effect.type) {
      case "authenticate":
        void this.#authenticate(effect.because);
        return;
      case "open":
        if (effect.rung === "stream") this.#openStream();
        else this.#openPoll();
        return;
      case "drop":
        this.#drop();
        return;
      case "wait":
        this.#waitFor(backoffDelay(effect.wait, environment.random(), environment.hidden()));
        return;
      case "wait-offline":
        this.#waitFor(timing.offlineProbeMs);
        return;
      case "stepped":
        count(effect.to === "stream" ? "stepUps" : "stepDowns", 1);
    }
  }

  #drop(): void {
    this.#session?.close();
    this.#session = null;
    this.#check?.stop();
    this.#check = null;
    this.#climber.stop();
  }

  #waitFor(ms: number): void {
    const { environment } = this.#context;
    this.#clearRetry();
    this.#retryAt = environment.now() + ms;
    this.#cancelRetry = environment.schedule(() => this.#dispatch({ type: "retry" }), ms);
  }

  #clearRetry(): void {
    this.#cancelRetry();
    this.#retryAt = null;
  }

  async #authenticate(because: "initial" | "rejected"): Promise<void> {
    try {
      const token = await this.#context.tokens.get(because);
      this.#dispatch(token === null ? { type: "no-token" } : { type: "token" });
    } catch (thrown) {
      this.#lost(toRealtimeError(thrown));
    }
  }

  #openStream(): void {
    const check = new BlockedCheck(this.#context, (error) => this.#lost(error));
    const events = this.#eventsOf(() => session, "stream");
    const session: Session = new StreamSession(this.#context, {
      ...events,
      welcome: () => {
        check.stop();
        events.welcome();
      },
      lost: (error) => {
        const early = this.#session === session && this.#state.phase === "connecting";
        if (early && error.retryable) void this.#judge(session, check, error);
        else events.lost(error);
      },
    });
    this.#session = session;
    this.#check = check;
    check.start();
    session.start();
  }

  /** A stream that failed before Welcome speaks against streams only if single calls get through. */
  async #judge(session: Session, check: BlockedCheck, error: RealtimeError): Promise<void> {
    const unaryWorks = await check.unaryWorks();
    if (this.#session === session) this.#lost(error, unaryWorks);
  }

  #openPoll(): void {
    const session: Session = new PollSession(
      this.#context,
      this.#eventsOf(() => session, "longpoll"),
    );
    this.#session = session;
    session.start();
  }

  /** The machine hears only the session that is the connection now. */
  #eventsOf(session: () => Session, rung: Rung): SessionEvents {
    const mine = (task: () => void) => {
      if (this.#session === session() && this.#state.rung === rung) task();
    };
    return {
      welcome: () => mine(() => this.#dispatch({ type: "welcome" })),
      caughtUp: () => mine(() => this.#dispatch({ type: "caught-up" })),
      heartbeat: () => {},
      lost: (error) => mine(() => this.#lost(error)),
      sentAway: (withinMs) => mine(() => this.#dispatch({ type: "sent-away", withinMs })),
      readsOn: () => true,
      expiring: () => mine(() => void this.#renewToken()),
    };
  }

  #climbed(session: Session): void {
    const before = this.#session;
    this.#session = session;
    this.#dispatch({ type: "stepped-up" });
    before?.close();
  }

  #lost(error: RealtimeError, unaryWorks = false): void {
    this.#dispatch({ type: "lost", error, online: this.#context.environment.online(), unaryWorks });
  }

  async #renewToken(): Promise<void> {
    try {
      const token = await this.#context.tokens.renew("expiring");
      if (token === null) this.#dispatch({ type: "no-token" });
      else this.#session?.tokenChanged();
    } catch (thrown) {
      // The session goes on until the hub ends it; then the reconnect asks for a token again.
      this.#context.environment.report(thrown);
    }
  }

  #woken(reason: WakeReason): void {
    const { phase } = this.#state;
    if (phase === "backoff" || phase === "offline") this.#dispatch({ type: "retry" });
    else if (reason === "restored" && (phase === "live" || phase === "syncing")) {
      this.#lost(new RealtimeError("The page was restored.", { kind: "network" }));
      this.#dispatch({ type: "retry" });
    } else this.#session?.checkAlive();
    if (reason === "online" && this.#state.rung === "longpoll" && phase === "live") this.#climber.hurry();
  }
}
