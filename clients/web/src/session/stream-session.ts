import { backoffDelay } from "../connection/backoff.js";
import type { Rung } from "../connection/ladder.js";
import { RealtimeError, toRealtimeError } from "../errors.js";
import {
  type GoAway,
  GoAwayAction,
  type ServerFrame,
  type Welcome,
} from "../gen/shipspeak/realtime/v1/frame_pb.js";
import { durationMs } from "../time.js";
import type { SubscribeInit } from "../topics/registry.js";
import { Announcer } from "./announcer.js";
import type { Commands } from "./commands.js";
import type { SessionContext } from "./context.js";
import { eventsIn } from "./frames.js";
import { Reporter } from "./reporter.js";
import type { Session, SessionEvents } from "./session.js";
import { SubscriptionUpdater } from "./updater.js";
import type { Wire } from "./wire.js";

/** Used when Welcome names no interval. */
const DEFAULT_HEARTBEAT_MS = 20_000;
/** Silence of this many heartbeats is death. */
const SILENT_BEATS = 2.5;

/** One session on which the hub pushes, over whatever wire. */
export class StreamSession implements Session {
  readonly #context: SessionContext;
  readonly #rung: Rung;
  readonly #wire: Wire;
  readonly #events: SessionEvents;
  readonly #stop = new AbortController();
  #commands: Commands | null = null;
  #announcing = false;
  #askedFor = "";
  #awaiting = new Set<string>();
  #synced = false;
  #reporter: Reporter | null = null;
  #updater: SubscriptionUpdater | null = null;
  #heartbeatMs = DEFAULT_HEARTBEAT_MS;
  #lastFrameAt = 0;
  #cancelTimer: () => void = () => {};
  /** When to leave, since the hub has asked for it; null = it has not. */
  #leaveAt: number | null = null;
  #cancelLeave: () => void = () => {};

  constructor(
    context: SessionContext,
    how: { readonly rung: Rung; readonly wire: (signal: AbortSignal) => Wire },
    events: SessionEvents,
  ) {
    this.#context = context;
    this.#rung = how.rung;
    this.#wire = how.wire(this.#stop.signal);
    this.#events = events;
  }

  start(): void {
    const { environment, timing } = this.#context;
    this.#lastFrameAt = environment.now();
    this.#events.connecting();
    this.#cancelTimer = environment.schedule(() => {
      this.#lose(new RealtimeError("The hub did not say Welcome in time.", { kind: "timeout" }));
    }, timing.attemptMs);
    void this.#read();
  }

  close(): void {
    this.#cancelTimer();
    this.#cancelLeave();
    this.#stop.abort();
    this.#context.presence.lost(this);
  }

  adopted(): void {
    this.#announce();
  }

  subscriptionsChanged(): void {
    this.#updater?.changed();
  }

  tokenChanged(): void {
    if (this.#commands) void this.#refresh(this.#commands);
  }

  checkAlive(): void {
    if (this.#stop.signal.aborted || !this.#commands) return;
    const silentMs = this.#context.environment.now() - this.#lastFrameAt;
    const limitMs = this.#heartbeatMs * SILENT_BEATS;
    if (silentMs >= limitMs) {
      this.#lose(new RealtimeError("Nothing was heard from the hub for too long.", { kind: "network" }));
      return;
    }
    this.#cancelTimer();
    this.#cancelTimer = this.#context.environment.schedule(() => this.checkAlive(), limitMs - silentMs);
  }

  async #read(): Promise<void> {
    const { registry, meter } = this.#context;
    const subscriptions = registry.subscriptions();
    this.#awaiting = new Set(subscriptions.map((one) => one.topic));
    this.#askedFor = setKey(subscriptions.map(askedOf));
    const measure = meter.begin(this.#rung);
    try {
      for await (const { message, bytes } of this.#wire.frames(subscriptions, this.#events.step())) {
        if (this.#stop.signal.aborted) return;
        measure(bytes, eventsIn(message));
        this.#receive(message, bytes);
      }
      this.#lose(new RealtimeError("The hub ended the stream.", { kind: "network" }));
    } catch (thrown) {
      this.#lose(toRealtimeError(thrown));
    }
  }

  #receive(frame: ServerFrame, bytes: number): void {
    this.#lastFrameAt = this.#context.environment.now();
    if (frame.control.case === "welcome") this.#welcome(frame.control.value);
    const whole = this.#context.registry.receive(frame);
    if (frame.runs.length > 0) this.#context.count("bytes", bytes);
    this.#reporter?.handled(frame.runs.length > 0 ? bytes : 0);
    if (!whole) {
      this.#lose(
        new RealtimeError("A run began after the position: subscribing again.", { kind: "network" }),
      );
      return;
    }
    this.#control(frame);
    this.#checkSynced();
  }

  #welcome(welcome: Welcome): void {
    this.#context.clock.hear(welcome.serverTime, true);
    const commands = this.#wire.commands(welcome.sessionId);
    const session = {
      commands,
      intervalMs: durationMs(welcome.heartbeatInterval) ?? DEFAULT_HEARTBEAT_MS,
      signal: this.#stop.signal,
    };
    const dead = (error: RealtimeError) => {
      this.#lose(
        new RealtimeError("The hub does not know the session any more.", { kind: "network", cause: error }),
      );
    };
    this.#commands = commands;
    this.#heartbeatMs = session.intervalMs;
    this.#reporter = new Reporter(this.#context, session, dead);
    this.#updater = new SubscriptionUpdater(this.#context, session, dead);
    if (this.#events.isConnection()) this.#announce();
    this.checkAlive();
    this.#events.welcome();
    const wanted = setKey(this.#context.registry.subscriptions().map(askedOf));
    if (wanted !== this.#askedFor) this.#updater.changed();
  }

  #control({ control }: ServerFrame): void {
    if (control.case === "subscribed" || control.case === "error" || control.case === "unsubscribed") {
      this.#awaiting.delete(control.value.topic);
    } else if (control.case === "heartbeat") {
      this.#context.clock.hear(control.value.serverTime, false);
      if (control.value.completeAsOf) this.#awaiting.clear();
      this.#events.heartbeat();
    } else if (control.case === "sessionExpiring") {
      this.#events.expiring();
    } else if (control.case === "goAway") {
      this.#sentAway(control.value);
    }
  }

  #checkSynced(): void {
    if (this.#synced || !this.#commands || this.#awaiting.size > 0) return;
    if (!this.#context.registry.caughtUp) return;
    this.#synced = true;
    this.#events.caughtUp();
  }

  #sentAway(goAway: GoAway): void {
    const { action, reason } = goAway;
    if (action === GoAwayAction.REAUTHENTICATE) {
      this.#lose(new RealtimeError("The hub asks for a new token.", { kind: "auth", reason }));
    } else if (action === GoAwayAction.UPGRADE || action === GoAwayAction.STOP) {
      this.#lose(
        new RealtimeError("The hub asks this client not to come back.", { kind: "refused", reason }),
      );
    } else if (!this.#stop.signal.aborted && this.#leaveAt === null) {
      this.#prepareToLeave(durationMs(goAway.within) ?? 0);
    }
  }

  /** Reads on until then: the hub serves its streams for as long, so that the change costs no news. */
  #prepareToLeave(withinMs: number): void {
    const { environment } = this.#context;
    if (!this.#events.isConnection()) {
      this.#leave(withinMs);
      return;
    }
    const staysMs = backoffDelay({ kind: "spread", withinMs }, environment.random());
    this.#leaveAt = environment.now() + staysMs;
    this.#cancelLeave = environment.schedule(() => this.#leave(0), staysMs);
  }

  #leave(withinMs: number): void {
    this.close();
    this.#events.sentAway(withinMs);
  }

  /** Only one session of a client says who is there: the connection. */
  #announce(): void {
    if (this.#announcing || !this.#commands || this.#stop.signal.aborted) return;
    this.#announcing = true;
    this.#context.presence.belongsTo(this);
    new Announcer(this.#context, { commands: this.#commands, signal: this.#stop.signal }).start();
  }

  async #refresh(commands: Commands): Promise<void> {
    try {
      await commands.refresh(this.#context.tokens.current);
    } catch (thrown) {
      const error = toRealtimeError(thrown);
      // A call that did not arrive is made good by the reconnect that the hub's expiry brings about.
      if (error.kind === "auth" || error.kind === "permission") this.#lose(error);
    }
  }

  #lose(error: RealtimeError): void {
    if (this.#stop.signal.aborted) return;
    if (this.#leaveAt !== null) {
      this.#leave(Math.max(0, this.#leaveAt - this.#context.environment.now()));
      return;
    }
    this.close();
    this.#events.lost(error);
  }
}

function askedOf({ topic, presence }: SubscribeInit): string {
  return presence ? `${topic} and presence` : topic;
}

function setKey(topics: Iterable<string>): string {
  return [...topics].sort().join("\n");
}
