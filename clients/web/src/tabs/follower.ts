import { fromBinary } from "@bufbuild/protobuf";
import type { Environment } from "../environment.js";
import {
  PresenceState,
  type ServerFrame,
  ServerFrameSchema,
  Verdict,
} from "../gen/shipspeak/realtime/v1/frame_pb.js";
import type { SubscribeInit, TopicRegistry } from "../topics/registry.js";
import type { Sized } from "../transport/transport.js";
import { answerFrom, isAhead, subscribed } from "./admit.js";
import { Alone } from "./alone.js";
import { heartbeat, lost, made, moved, welcome } from "./frames.js";
import { type Heard, Inbox } from "./inbox.js";
import type { Body, LeaderState, Ready, Said, TabMessage, Want } from "./messages.js";

/** What the hub answered to a Poll. */
export interface Caught {
  readonly frames: readonly ServerFrame[];
  readonly more: boolean;
}

export interface FollowerContext {
  readonly environment: Environment;
  readonly registry: TopicRegistry;
  post(body: Body): void;
  /** Asks the hub itself for what some topics have missed. Fails with RealtimeError. */
  catchUp(subscriptions: SubscribeInit[], signal: AbortSignal): Promise<Caught>;
  /** The leader has a connection now, or none. */
  onLeaderState(state: LeaderState): void;
}

/** Reads what the leader relays, from this tab's own places, and asks the hub for what it has missed. */
export class Follower {
  readonly #context: FollowerContext;
  readonly #inbox = new Inbox();
  /** Topics that the leader has not answered for yet. */
  readonly #pending = new Set<string>();
  /** Topics that have missed something. */
  readonly #behind = new Set<string>();
  readonly #alone: Alone;
  /** What this tab says of itself; a new leader is told again. */
  readonly #said = new Map<string, Said>();
  #leader: LeaderState | null = null;
  /** The frame that needed an answer of the hub first; to need another one means that answer does not fit. */
  #tried: ServerFrame | null = null;
  #over = false;
  #reading = false;
  #gaveUp = false;

  constructor(context: FollowerContext) {
    this.#context = context;
    this.#alone = new Alone(context);
  }

  /** The present leader's state; null = none is known. */
  get leader(): LeaderState | null {
    return this.#leader;
  }

  hear(message: TabMessage): void {
    if (message.kind === "frame") {
      if (this.#reading || this.#inboxIsOfUse()) this.#hearFrame(message.bytes);
    } else if (message.kind === "ready") this.#inbox.put(message);
    else if (message.kind === "lead" || message.kind === "state")
      this.#hearState(message.state, message.kind);
  }

  /** The leader goes, or does not answer. */
  forget(): void {
    this.#leader = null;
    this.#inbox.nudge();
  }

  /** The leader has had no connection for too long: what is being read fails. */
  giveUp(): void {
    this.#gaveUp = true;
    this.#inbox.nudge();
  }

  /** This tab leads now, or stays alone: what is being read ends. */
  end(): void {
    this.#over = true;
    this.#inbox.clear();
    this.forget();
  }

  begin(): void {
    this.#over = false;
  }

  /** The set of this tab's topics has changed. */
  changed(): void {
    const { registry } = this.#context;
    const wants = registry.subscriptions().map((one): Want => {
      const topic = registry.get(one.topic);
      if (topic?.state.getSnapshot().status === "pending") this.#pending.add(one.topic);
      const place = topic?.position;
      const from = place && place.cursor.length > 0 ? { from: place } : {};
      return { topic: one.topic, presence: one.presence === true, ...from };
    });
    for (const topic of this.#pending) if (!registry.get(topic)) this.#pending.delete(topic);
    this.#context.post({ kind: "wants", wants });
  }

  say(said: Said): void {
    if (said.state === PresenceState.OFFLINE) this.#said.delete(said.topic);
    else this.#said.set(said.topic, said);
    this.#context.post({ kind: "said", said });
  }

  /**
   * The relayed stream. It begins when the leader has a connection. Fails with `network` when that is lost; ends by
   * GoAway when this tab is to lead.
   */
  async *frames(signal: AbortSignal): AsyncGenerator<Sized<ServerFrame>> {
    this.#reading = true;
    try {
      while (!this.#leader?.live && !this.#over && !signal.aborted) await this.#inbox.nudged(signal);
      if (signal.aborted) return;
      if (!this.#leader || this.#over) return yield made(moved());
      this.#gaveUp = false;
      this.#tried = null;
      yield made(welcome(this.#leader));
      this.#askAll();
      while (!signal.aborted) {
        if (this.#over) return yield made(moved());
        if (this.#gaveUp) throw lost();
        if (this.#behind.size > 0) yield* this.#repair(signal);
        const heard = this.#next();
        if (heard) yield heard;
        else if (this.#behind.size === 0) await this.#wait(signal);
      }
    } finally {
      this.#reading = false;
    }
  }

  /** Until there is something to read, or to ask the hub for. */
  async #wait(signal: AbortSignal): Promise<void> {
    const cancel = this.#alone.look((topics) => {
      for (const topic of topics) this.#behind.add(topic);
      this.#inbox.nudge();
    });
    if (this.#behind.size === 0) await this.#inbox.changed(signal);
    cancel();
  }

  #hearState(state: LeaderState, kind: "lead" | "state"): void {
    this.#leader = state;
    if (kind === "lead") {
      this.#alone.clear();
      this.#askAll();
      for (const said of this.#said.values()) this.#context.post({ kind: "said", said });
    }
    this.#context.onLeaderState(state);
    if (this.#reading && kind === "state") this.#inbox.put({ kind: "frame", frame: heartbeat(), bytes: 0 });
    this.#inbox.nudge();
  }

  #hearFrame(bytes: Uint8Array): void {
    this.#inbox.put({ kind: "frame", frame: fromBinary(ServerFrameSchema, bytes), bytes: bytes.length });
  }

  /** Between two streams, what is relayed is kept for the next one. */
  #inboxIsOfUse(): boolean {
    return this.#leader !== null && !this.#over;
  }

  #askAll(): void {
    this.#pending.clear();
    for (const { topic } of this.#context.registry.subscriptions()) this.#pending.add(topic);
    this.changed();
  }

  /** The next frame that this tab can take, if there is one; null also when it has to ask the hub first. */
  #next(): Sized<ServerFrame> | null {
    if (this.#inbox.overflowed()) this.#missedSome();
    while (this.#behind.size === 0) {
      const heard = this.#inbox.take();
      if (!heard) return null;
      const frame = heard.kind === "ready" ? this.#answer(heard.ready) : this.#relayed(heard);
      if (frame) return { message: frame, bytes: heard.kind === "frame" ? heard.bytes : 0 };
    }
    return null;
  }

  /** The hub knows what topics with places have missed; of the others it is told that something is missing. */
  #missedSome(): void {
    const { registry } = this.#context;
    for (const { topic } of registry.subscriptions()) {
      const here = registry.get(topic);
      if (here?.position) this.#behind.add(topic);
      else if (here?.state.getSnapshot().status === "live") {
        this.#inbox.put({ kind: "frame", frame: subscribed(topic, null, Verdict.GAP), bytes: 0 });
      }
    }
    this.#askAll(); // the leader's answers may be among what was thrown away
  }

  #relayed(heard: Heard & { readonly kind: "frame" }): ServerFrame | null {
    const { registry } = this.#context;
    const { frame } = heard;
    frame.runs = frame.runs.filter(({ topic }) => registry.get(topic));
    if (frame.runs.length === 0) return this.#control(frame);
    const ahead = frame.runs.filter((run) => {
      const topic = registry.get(run.topic);
      return topic !== undefined && isAhead(topic, run);
    });
    if (ahead.length === 0) return frame;
    if (this.#tried === frame) throw lost();
    this.#tried = frame;
    for (const { topic } of ahead) this.#behind.add(topic);
    this.#inbox.putBack(heard);
    return null;
  }

  /** What the hub said to the leader about the leader's place is for this tab to find out about its own. */
  #control(frame: ServerFrame): ServerFrame | null {
    const { control } = frame;
    if (control.case === "heartbeat") {
      // That the leader has everything says nothing of a topic about which it has not answered yet.
      if (this.#pending.size > 0) delete control.value.completeAsOf;
      return frame;
    }
    if (control.case === "presence") return frame;
    if (control.case !== "subscribed" && control.case !== "error" && control.case !== "unsubscribed")
      return null;
    const topic = this.#context.registry.get(control.value.topic);
    if (!topic) return null;
    this.#alone.hear(topic.name, control.case !== "subscribed");
    if (this.#pending.has(topic.name)) return null;
    if (control.case === "subscribed") {
      const { epoch, verdict, position } = control.value;
      if (epoch === 0n) return frame;
      const here =
        topic.position?.epoch === epoch && topic.position.offset >= (position?.handledOffset ?? 0n);
      if (here && verdict === Verdict.OK) return null;
    }
    this.#behind.add(topic.name);
    return null;
  }

  #answer(ready: Ready): ServerFrame | null {
    const topic = this.#context.registry.get(ready.topic);
    if (!topic) return null;
    this.#alone.hear(ready.topic, ready.status === "refused");
    const frame = answerFrom(topic, ready);
    if (!frame) this.#behind.add(ready.topic);
    return this.#pending.delete(ready.topic) ? frame : null;
  }

  async *#repair(signal: AbortSignal): AsyncGenerator<Sized<ServerFrame>> {
    const asked = new Set(this.#behind);
    const all = [...asked];
    let moved = false;
    for (let more = true; more; ) {
      const answer = await this.#ask(signal, all);
      if (signal.aborted) return;
      for (const frame of answer.frames) {
        moved ||= frame.runs.length > 0;
        yield made(frame);
        if (signal.aborted) return;
        if (frame.control.case === "subscribed" || frame.control.case === "error") {
          asked.delete(frame.control.value.topic);
        }
      }
      more = answer.more;
    }
    for (const name of all) this.#behind.delete(name);
    // Of a place that is good the hub says nothing; this tab's stream waits for the word.
    for (const name of asked) {
      const place = this.#context.registry.get(name)?.position;
      if (place) yield made(subscribed(name, place));
    }
    for (const frame of this.#alone.asked(all, moved)) yield made(frame);
  }

  async #ask(signal: AbortSignal, topics: readonly string[]): Promise<Caught> {
    const subscriptions = this.#context.registry.subscriptions({ presence: false });
    const wanted = subscriptions.filter(({ topic }) => topics.includes(topic));
    return wanted.length > 0 ? this.#context.catchUp(wanted, signal) : { frames: [], more: false };
  }
}
