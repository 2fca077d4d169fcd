import { create, toBinary } from "@bufbuild/protobuf";
import { PresenceState, type ServerFrame, ServerFrameSchema } from "../gen/shipspeak/realtime/v1/frame_pb.js";
import { type PresenceSnapshot, toWire } from "../presence/state.js";
import type { Store } from "../store.js";
import type { TopicRegistry } from "../topics/registry.js";
import type { Body, Ready, Said, TabMessage, Want } from "./messages.js";

export interface LeaderContext {
  readonly registry: TopicRegistry;
  presence(topic: string): Store<PresenceSnapshot>;
  post(body: Body): void;
  /** Says to the hub what others see of these tabs in a topic. */
  say(said: Said): void;
  /** Calls `gone` when a tab has ended, however it did. */
  watch(tab: string, gone: () => void): () => void;
  /** Another number of tabs is served. */
  onPeers(count: number): void;
}

interface Peer {
  readonly topics: Map<string, () => void>;
  readonly presences: Map<string, () => void>;
  readonly unwatch: () => void;
}

/** Serves the other tabs for one term: reads what they read, relays what comes, says who is there. */
export class Leader {
  readonly #context: LeaderContext;
  readonly #peers = new Map<string, Peer>();
  /** Readers among the other tabs, by topic. */
  readonly #readers = new Map<string, number>();
  /** What tabs say of themselves, by topic; the latest word of a tab is the last. */
  readonly #said = new Map<string, Map<string, Said>>();
  #live = false;

  constructor(context: LeaderContext) {
    this.#context = context;
  }

  get peers(): number {
    return this.#peers.size;
  }

  /** Whether all that is published is received now; on the way there the other tabs are told where things stand. */
  setLive(live: boolean): void {
    if (live && !this.#live) for (const topic of this.#readers.keys()) this.#announce(topic);
    this.#live = live;
  }

  hear(message: TabMessage): void {
    if (message.kind === "wants") this.#want(message.from, message.wants);
    else if (message.kind === "said") this.#context.say(this.put(message.from, message.said));
    else if (message.kind === "bye") this.#drop(message.from);
  }

  /** One frame of the hub, before this tab itself has taken it. */
  relay(frame: ServerFrame): void {
    if (this.#peers.size === 0) return;
    const runs = frame.runs.filter(({ topic }) => this.#readers.has(topic));
    const control = this.#concerns(frame) ? frame.control : undefined;
    if (runs.length === 0 && !control) return;
    this.#post({ runs, ...(control ? { control } : {}) });
  }

  /**
   * A tab, this one or another, says what others see of it; the result is what the hub is to hear. The latest word
   * counts, and only when all tabs have left, they have.
   */
  put(tab: string, said: Said): Said {
    const words = this.#said.get(said.topic) ?? new Map<string, Said>();
    this.#said.set(said.topic, words);
    words.delete(tab);
    if (said.state !== PresenceState.OFFLINE) words.set(tab, said);
    if (words.size === 0) this.#said.delete(said.topic);
    return [...words.values()].at(-1) ?? said;
  }

  /** A new session of the hub knows nothing yet. */
  repeat(tab: string): void {
    for (const words of this.#said.values()) {
      const last = [...words].at(-1);
      if (last && last[0] !== tab) this.#context.say(last[1]);
    }
  }

  /** Another tab leads: what was read for others is not read any more. */
  end(): void {
    for (const tab of [...this.#peers.keys()]) this.#drop(tab);
  }

  #want(tab: string, wants: readonly Want[]): void {
    const peer = this.#peers.get(tab) ?? this.#join(tab);
    const topics = new Set(wants.map(({ topic }) => topic));
    for (const want of wants) if (!peer.topics.has(want.topic)) peer.topics.set(want.topic, this.#read(want));
    for (const [topic, leave] of peer.topics) if (!topics.has(topic) && peer.topics.delete(topic)) leave();
    const watched = new Set(wants.filter(({ presence }) => presence).map(({ topic }) => topic));
    for (const topic of watched) this.#watch(peer, topic);
    for (const [topic, leave] of peer.presences)
      if (!watched.has(topic) && peer.presences.delete(topic)) leave();
    if (this.#live) for (const { topic } of wants) this.#announce(topic);
  }

  #join(tab: string): Peer {
    const unwatch = this.#context.watch(tab, () => this.#drop(tab));
    const peer = { topics: new Map(), presences: new Map(), unwatch };
    this.#peers.set(tab, peer);
    this.#context.onPeers(this.#peers.size);
    return peer;
  }

  #drop(tab: string): void {
    const peer = this.#peers.get(tab);
    if (!peer) return;
    this.#peers.delete(tab);
    peer.unwatch();
    for (const leave of [...peer.topics.values(), ...peer.presences.values()]) leave();
    for (const [topic, words] of this.#said) {
      if (!words.has(tab)) continue;
      this.#context.say(this.put(tab, { topic, state: PresenceState.OFFLINE, metadata: {} }));
    }
    this.#context.onPeers(this.#peers.size);
  }

  /** Reads a topic for another tab, from the place of the first one that asks. */
  #read({ topic, from }: Want): () => void {
    const { registry } = this.#context;
    this.#readers.set(topic, (this.#readers.get(topic) ?? 0) + 1);
    const leave = registry.subscribe(topic, registry.get(topic) || !from ? {} : { from });
    const state = registry.get(topic)?.state;
    let before = state?.getSnapshot().status;
    const stop = state?.subscribe(() => {
      const { status } = state.getSnapshot();
      if (status !== before) this.#announce(topic);
      before = status;
    });
    return () => {
      const left = (this.#readers.get(topic) ?? 1) - 1;
      if (left > 0) this.#readers.set(topic, left);
      else this.#readers.delete(topic);
      stop?.();
      leave();
    };
  }

  #watch(peer: Peer, topic: string): void {
    const store = this.#context.presence(topic);
    const tell = () => {
      const { status, members, sessions, users } = store.getSnapshot();
      if (status !== "live") return;
      const told = members.map((member) => ({ ...member, state: toWire(member.state) }));
      const value = { topic, full: true, members: told, sessions, users };
      this.#post({ runs: [], control: { case: "presence", value } });
    };
    if (!peer.presences.has(topic)) peer.presences.set(topic, store.subscribe(tell));
    tell();
  }

  #announce(topic: string): void {
    const ready = this.#ready(topic);
    if (ready && this.#live) this.#context.post({ kind: "ready", ready });
  }

  #ready(name: string): Ready | null {
    const topic = this.#context.registry.get(name);
    const status = topic?.state.getSnapshot().status;
    if (!topic || status === "pending") return null;
    const { epoch, offset, cursor } = topic.position ?? { epoch: 0n, offset: 0n, cursor: new Uint8Array(0) };
    if (status === "refused") return { topic: name, status: "refused", epoch, offset, cursor };
    return { topic: name, status: topic.position ? "log" : "volatile", epoch, offset, cursor };
  }

  #concerns({ control }: ServerFrame): boolean {
    if (control.case === "heartbeat") return true;
    if (control.case !== "subscribed" && control.case !== "error" && control.case !== "unsubscribed")
      return false;
    return this.#readers.has(control.value.topic);
  }

  #post(frame: Parameters<typeof create<typeof ServerFrameSchema>>[1]): void {
    this.#context.post({
      kind: "frame",
      bytes: toBinary(ServerFrameSchema, create(ServerFrameSchema, frame)),
    });
  }
}
