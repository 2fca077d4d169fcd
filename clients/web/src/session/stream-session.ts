import { backoffDelay } from "../connection/backoff.js";
import { RealtimeError, toRealtimeError } from "../errors.js";
import {
  type GoAway,
  GoAwayAction,
  type ServerFrame,
  type Welcome,
} from "../gen/shipspeak/realtime/v1/frame_pb.js";
import { RealtimeService } from "../gen/shipspeak/realtime/v1/realtime_service_pb.js";
import { durationMs } from "../time.js";
import type { SubscribeInit } from "../topics/registry.js";
import { Announcer } from "./announcer.js";
import { callOptions, hello, type SessionContext, WINDOW_BYTES } from "./context.js";
import { Reporter } from "./reporter.js";
import type { Session, SessionEvents } from "./session.js";
import { SubscriptionUpdater } from "./updater.js";

/** Used when Welcome names no interval. */
const DEFAULT_HEARTBEAT_MS = 20_000;
/** Silence of this many heartbeats is death. */
const SILENT_BEATS = 2.5;

/** One session on a server stream (Listen), with its commands by unary calls. */
export class StreamSession implements Session {
  readonly #context: SessionContext;
  readonly #events: SessionEvents;
  readonly #stop = new AbortController();
  #sessionId = "";
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

  constructor(context: SessionContext, events: SessionEvents) {
    this.#context = context;
    this.#events = events;
  }

  start(): void {
    const { environment, timing } = this.#context;
    this.#lastFrameAt = environment.now();
    this.#cancelTimer = environment.schedule(() => {
      this.#lose(new RealtimeError("The hub did not say Welcome in time.", { kind: "timeout" }));
    }, timing.attemptMs);
    void this.#read();
  }

  close(): void {
    this.#cancelTimer();
    this.#cancelLeave();
    this.#stop.abort();
    this.#context.presence.lost();
  }

  subscriptionsChanged(): void {
    this.#updater?.changed();
  }

  tokenChanged(): void {
    if (this.#sessionId) void this.#refresh();
  }

  checkAlive(): void {
    if (this.#stop.signal.aborted || !this.#sessionId) return;
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
    const { transport, registry, tokens } = this.#context;
    const subscriptions = registry.subscriptions();
    this.#awaiting = new Set(subscriptions.map((one) => one.topic));
    this.#askedFor = setKey(subscriptions.map(askedOf));
    const request = { hello: hello(this.#context, WINDOW_BYTES), subscriptions };
    const options = { token: tokens.current, signal: this.#stop.signal };
    try {
      for await (const { message, bytes } of transport.serverStream(
        RealtimeService.method.listen,
        request,
        options,
      )) {
        if (this.#stop.signal.aborted) return;
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
    const session = {
      id: welcome.sessionId,
      intervalMs: durationMs(welcome.heartbeatInterval) ?? DEFAULT_HEARTBEAT_MS,
      signal: this.#stop.signal,
    };
    const dead = (error: RealtimeError) => {
      this.#lose(
        new RealtimeError("The hub does not know the session any more.", { kind: "network", cause: error }),
      );
    };
    this.#sessionId = session.id;
    this.#heartbeatMs = session.intervalMs;
    this.#reporter = new Reporter(this.#context, session, dead);
    this.#updater = new SubscriptionUpdater(this.#context, session, dead);
    new Announcer(this.#context, session).start();
    this.checkAlive();
    this.#events.welcome();
    const wanted = setKey(this.#context.registry.subscriptions().map(askedOf));
    if (wanted !== this.#askedFor) this.#updater.changed();
  }

  #control({ control }: ServerFrame): void {
    if (control.case === "subscribed" || control.case === "error" || control.case === "unsubscribed") {
      this.#awaiting.delete(control.value.topic);
    } else if (control.case === "heartbeat") {
      if (control.value.completeAsOf) this.#awaiting.clear();
      this.#events.heartbeat();
    } else if (control.case === "sessionExpiring") {
      this.#events.expiring();
    } else if (control.case === "goAway") {
      this.#sentAway(control.value);
    }
  }

  #checkSynced(): void {
    if (this.#synced || !this.#sessionId || this.#awaiting.size > 0) return;
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
    if (!this.#events.readsOn()) {
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

  async #refresh(): Promise<void> {
    const { transport, tokens } = this.#context;
    const request = { sessionId: this.#sessionId, token: tokens.current };
    const options = callOptions(this.#context, this.#stop.signal);
    try {
      await transport.unary(RealtimeService.method.refreshSession, request, options);
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
