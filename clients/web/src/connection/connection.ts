import type { SleepReason, WakeReason } from "../environment.js";
import { type RealtimeError, toRealtimeError } from "../errors.js";
import { BlockedCheck } from "../session/blocked-check.js";
import type { SessionContext } from "../session/context.js";
import type { OpenSession } from "../session/open.js";
import type { Session, SessionEvents } from "../session/session.js";
import { Alarm } from "./alarm.js";
import { backoffDelay } from "./backoff.js";
import type { Board } from "./board.js";
import { Climber } from "./climber.js";
import { pushes, type Rung, rungsAbove } from "./ladder.js";
import { type Effect, initialState, type MachineEvent, type MachineState, transition } from "./machine.js";
import type { RungMemory } from "./memory.js";
import { TokenWatch } from "./token-watch.js";
import { type ToldStep, toldStep } from "./told-step.js";

/** Browsers cut connections about the time that a page goes out of sight; that says nothing about the network. */
const HIDING_MS = 1000;

/** Keeps one session alive: runs the machine's effects and feeds it what happens. All decisions are the machine's. */
export class Connection {
  readonly #context: SessionContext;
  readonly #board: Board;
  readonly #memory: RungMemory;
  readonly #climber: Climber;
  readonly #retry: Alarm;
  readonly #openSession: OpenSession;
  readonly #tokenWatch: TokenWatch;
  #state: MachineState;
  #session: Session | null = null;
  #check: BlockedCheck | null = null;
  #untold: ToldStep | null = null;
  /** The session asks the hub; else it lives on what another tab relays. */
  #onRung = false;
  #welcomedAt: number | null = null;
  #hidAt = Number.NEGATIVE_INFINITY;
  #cancelSettle: () => void = () => {};
  #stopPage: (() => void) | null = null;

  constructor(
    context: SessionContext,
    board: Board,
    memory: RungMemory,
    how: { readonly ladder: readonly Rung[]; readonly open: OpenSession },
  ) {
    const { ladder } = how;
    this.#context = context;
    this.#openSession = how.open;
    this.#retry = new Alarm(context.environment, () => this.#dispatch({ type: "retry" }));
    this.#board = board;
    this.#memory = memory;
    this.#state = initialState(ladder, null);
    this.#tokenWatch = new TokenWatch(context.tokens, context.environment, (token) => {
      if (token === null) this.#dispatch({ type: "no-token" });
      else this.#session?.tokenChanged();
    });
    this.#climber = new Climber(context, how.open, {
      now: () => this.#state.rung,
      better: () => rungsAbove(ladder, this.#state.rung),
      later: (session, rung) => this.#eventsOf(() => session, rung),
      onClimbed: (session, rung) => this.#climbed(session, rung),
    });
  }

  connect(): void {
    if (this.#state.phase === "closed") return; // for good
    if (!this.#stopPage) {
      this.#state = initialState(this.#state.ladder, this.#memory.load() ?? this.#state.rung);
      this.#stopPage = this.#listenToPage(); // not before: the constructor touches nothing
    }
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

  #listenToPage(): () => void {
    const { environment } = this.#context;
    const wakes = environment.onWake((reason) => this.#woken(reason));
    const sleeps = environment.onSleep((reason) => this.#sleeps(reason));
    return () => {
      wakes();
      sleeps();
    };
  }

  #end(event: MachineEvent): void {
    this.#dispatch(event);
    this.#stopPage?.();
    this.#stopPage = null;
  }

  #dispatch(event: MachineEvent): void {
    const before = this.#state;
    const [state, effects] = transition(before, event);
    if (state === before && effects.length === 0) return;
    this.#state = state;
    if (state.phase !== before.phase) this.#leave(before);
    for (const effect of effects) this.#run(effect);
    if (state.phase === "syncing" && before.phase !== "syncing") this.#tokenWatch.start();
    if (state.phase === "live" && before.phase !== "live") this.#enterLive();
    if (state.settled && !before.settled) this.#remember();
    this.#board.moved(this.#state, this.#retry.at, this.#onRung);
  }

  #leave(before: MachineState): void {
    this.#retry.clear();
    if (before.phase === "live") this.#cancelSettle();
  }

  #enterLive(): void {
    const { environment, timing } = this.#context;
    this.#cancelSettle = environment.schedule(() => this.#dispatch({ type: "settled" }), timing.settledMs);
    this.#planClimb();
  }

  #planClimb(): void {
    if (this.#onRung && rungsAbove(this.#state.ladder, this.#state.rung).length > 0) this.#climber.plan();
  }

  /** The best rung is where every page begins anyway. */
  #remember(): void {
    if (!this.#onRung) return;
    const { rung, ladder } = this.#state;
    this.#memory.save(rung === ladder[0] ? null : rung);
  }

  #run(effect: Effect): void {
    const { environment, timing, count, meter } = this.#context;
    switch (effect.type) {
      case "authenticate":
        void this.#authenticate(effect.because);
        return;
      case "open":
        this.#open(effect.rung);
        return;
      case "drop":
        this.#drop();
        return;
      case "wait":
        this.#retry.set(backoffDelay(effect.wait, environment.random(), environment.hidden()));
        return;
      case "wait-offline":
        this.#retry.set(timing.offlineProbeMs);
        return;
      case "stepped":
        count(effect.reason === "probed" ? "stepUps" : "stepDowns", 1);
        // Where several lead to a rung that works, the first one says why the last that worked was left.
        if (effect.reason !== "probed") this.#untold ??= toldStep(effect.from, effect.reason);
        meter.stepped({ from: effect.from, to: effect.to, reason: effect.reason });
    }
  }

  #drop(): void {
    this.#session?.close();
    this.#session = null;
    this.#welcomedAt = null;
    this.#check?.stop();
    this.#check = null;
    this.#climber.stop();
    this.#tokenWatch.stop();
  }

  async #authenticate(because: "initial" | "rejected"): Promise<void> {
    try {
      const token = await this.#context.tokens.get(because);
      this.#dispatch(token === null ? { type: "no-token" } : { type: "token" });
    } catch (thrown) {
      this.#lost(toRealtimeError(thrown));
    }
  }

  #open(rung: Rung): void {
    const check = new BlockedCheck(this.#context, (error) => this.#lost(error, { unaryWorks: true }));
    const events = this.#eventsOf(() => session, rung);
    const session: Session = this.#openSession(rung, {
      ...events,
      welcome: () => {
        check.stop();
        events.welcome();
      },
      lost: (error, waiting) => {
        const early = this.#session === session && this.#state.phase === "connecting";
        const speaks = early && this.#onRung && pushes(rung);
        if (speaks && error.retryable) void this.#judge(session, check, error);
        else events.lost(error, waiting);
      },
    });
    this.#onRung = false;
    this.#check = check;
    this.#session = session;
    session.start();
  }

  /** A session that failed before Welcome speaks against its rung only if single calls get through. */
  async #judge(session: Session, check: BlockedCheck, error: RealtimeError): Promise<void> {
    const unaryWorks = await check.unaryWorks();
    if (this.#session === session) this.#lost(error, { unaryWorks });
  }

  /** The machine hears only the session that is the connection now. */
  #eventsOf(session: () => Session, rung: Rung): SessionEvents {
    const mine = (task: () => void) => {
      if (this.#session === session() && this.#state.rung === rung) task();
    };
    return {
      step: () => this.#untold,
      connecting: () => mine(() => this.#connecting(rung)),
      welcome: () => mine(() => this.#welcomed()),
      caughtUp: () => mine(() => this.#dispatch({ type: "caught-up" })),
      heartbeat: () => mine(() => this.#tokenWatch.look()),
      waited: () => mine(() => this.#dispatch({ type: "waited" })),
      lost: (error, waiting = false) => mine(() => this.#lost(error, { waiting })),
      sentAway: (withinMs) => mine(() => this.#dispatch({ type: "sent-away", withinMs })),
      isConnection: () => true,
      expiring: () => mine(() => void this.#tokenWatch.renew()),
    };
  }

  #connecting(rung: Rung): void {
    this.#onRung = true;
    if (pushes(rung)) this.#check?.start();
  }

  #welcomed(): void {
    this.#welcomedAt = this.#context.environment.now();
    this.#untold = null;
    this.#dispatch({ type: "welcome" });
  }

  #climbed(session: Session, to: Rung): void {
    const before = this.#session;
    this.#session = session;
    this.#welcomedAt = this.#context.environment.now();
    this.#dispatch({ type: "stepped-up", to });
    before?.close();
    if (this.#state.settled) this.#remember();
    this.#planClimb();
  }

  #lost(error: RealtimeError, facts: { unaryWorks?: boolean; waiting?: boolean } = {}): void {
    const { environment } = this.#context;
    const at = environment.now();
    this.#dispatch({
      type: "lost",
      error,
      at,
      online: environment.online(),
      hiding: at - this.#hidAt < HIDING_MS,
      livedMs: this.#welcomedAt === null ? null : at - this.#welcomedAt,
      unaryWorks: facts.unaryWorks ?? false,
      waiting: facts.waiting ?? false,
      relayed: !this.#onRung,
    });
  }

  #sleeps(reason: SleepReason): void {
    this.#hidAt = this.#context.environment.now();
    if (reason === "hidden") this.#dispatch({ type: "hiding", at: this.#hidAt });
    else this.#dispatch({ type: "suspend" });
  }

  #woken(reason: WakeReason): void {
    const { phase, rung, ladder } = this.#state;
    if (phase === "suspended") {
      if (reason !== "online") this.#dispatch({ type: "resume" });
    } else if (reason === "restored" && (phase === "live" || phase === "syncing")) {
      // What was open before is not, whatever it looks like.
      this.#dispatch({ type: "suspend" });
      this.#dispatch({ type: "resume" });
    } else if (phase === "backoff" || phase === "offline") this.#dispatch({ type: "retry" });
    else {
      this.#session?.checkAlive();
      this.#tokenWatch.look();
    }
    const another = this.#onRung && reason === "online" && this.#state.phase === "live";
    if (another && rungsAbove(ladder, rung).length > 0) this.#climber.hurry();
  }
}
