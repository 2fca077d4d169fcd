import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { EventName } from "../../src/acknowledge.js";
import type { RealtimeClient } from "../../src/client.js";
import { type ConnectionSnapshot, IDLE_SNAPSHOT } from "../../src/connection/snapshot.js";
import { type ContentSchema, type Event, EventSchema } from "../../src/gen/shipspeak/realtime/v1/event_pb.js";
import type { MeetingUpdateSchema } from "../../src/gen/shipspeak/realtime/v1/meeting_pb.js";
import { NO_OUTBOX, type Outbox, type OutboxSnapshot } from "../../src/outbox/types.js";
import { NOBODY, type PresenceSnapshot } from "../../src/presence/state.js";
import type { ContentInit, PublishOptions } from "../../src/publish.js";
import type { Receipt } from "../../src/repeat.js";
import { Cell } from "../../src/store.js";
import { SOLO, type TabsSnapshot } from "../../src/tabs/snapshot.js";
import { PENDING_TOPIC, type TopicListener, type TopicSnapshot } from "../../src/topics/types.js";

type Payload = NonNullable<MessageInitShape<typeof ContentSchema>["payload"]>;

function fail(error: unknown): never {
  throw error;
}

/** A client without a hub, for components: the test sets the connection and hands over events. */
export class FakeClient implements RealtimeClient {
  readonly cell = new Cell<ConnectionSnapshot>(IDLE_SNAPSHOT, fail);
  readonly listeners = new Map<string, Set<TopicListener>>();
  readonly calls: string[] = [];
  readonly connection = this.cell;
  readonly #states = new Map<string, Cell<TopicSnapshot>>();
  readonly #events = new Map<string, Event[]>();
  #offset = 0n;

  connect = () => void this.calls.push("connect");
  disconnect = () => void this.calls.push("disconnect");
  close = () => void this.calls.push("close");
  serverNow = () => Date.now() + this.aheadMs;
  /** How far the hub's clock is ahead. */
  aheadMs = 0;
  signOut = () => Promise.resolve();
  readonly tabs = new Cell<TabsSnapshot>(SOLO, fail);
  readonly scope = null;
  claim: RealtimeClient["claim"] = () => Promise.resolve(true);
  readonly outboxCell = new Cell<OutboxSnapshot>(NO_OUTBOX, fail);
  readonly outbox: Outbox = Object.assign(this.outboxCell, {
    add: () => Promise.reject(new Error("not here")),
    retry: async (id: string) => void this.calls.push(`retry ${id}`),
    discard: async (id: string) => void this.calls.push(`discard ${id}`),
  });
  retryNow = () => void this.calls.push("retryNow");
  topicState = (name: string) => (this.watching(name) > 0 ? this.state(name) : undefined);
  /** What `publish` answers. */
  publishing: (topic: string, content: ContentInit, options?: PublishOptions) => Promise<Receipt> = () =>
    Promise.reject(new Error("not here"));
  publish = (...draft: Parameters<RealtimeClient["publish"]>) => this.publishing(...draft);
  readonly said: unknown[] = [];
  readonly present = new Cell<PresenceSnapshot>(NOBODY, fail);
  presence = (_topic: string) => this.present;
  setPresence = (...words: unknown[]) => void this.said.push(words);
  /** What `markRead` and `dismiss` answer. */
  acknowledging: () => Promise<void> = () => Promise.resolve();
  markRead = (topic: string, ...events: readonly EventName[]) => this.#acknowledge("markRead", topic, events);
  dismiss = (topic: string, ...events: readonly EventName[]) => this.#acknowledge("dismiss", topic, events);
  withdraw = () => Promise.reject(new Error("not here"));

  topic(name: string) {
    return {
      name,
      subscribe: (listener: TopicListener) => {
        const all = this.listeners.get(name) ?? new Set();
        this.listeners.set(name, all.add(listener));
        return () => void all.delete(listener);
      },
    };
  }

  async #acknowledge(verb: string, topic: string, events: readonly EventName[]): Promise<readonly boolean[]> {
    const offsets = events.map((event) => (typeof event === "string" ? event : event.offset));
    this.calls.push(`${verb} ${topic} ${offsets.join(",")}`);
    await this.acknowledging();
    return events.map(() => true);
  }

  set(change: Partial<ConnectionSnapshot>): void {
    this.cell.set({ ...this.cell.getSnapshot(), ...change });
  }

  meeting(id: string, value: MessageInitShape<typeof MeetingUpdateSchema>): void {
    this.event(`meeting/${id}`, { case: "meeting", value });
  }

  /** Hands an event with this payload to who reads the topic. */
  event(
    topic: string,
    payload: Payload,
    facts: { readonly publishedAt?: Timestamp; readonly expiresAt?: Timestamp } = {},
  ): Event {
    this.#offset += 1n;
    const event = create(EventSchema, {
      id: `id-${this.#offset}`,
      offset: this.#offset,
      content: { payload },
      ...facts,
    });
    this.#events.set(topic, [...(this.#events.get(topic) ?? []), event]);
    for (const listener of this.listeners.get(topic) ?? []) listener.onEvent?.(event);
    return event;
  }

  /** Lets go of the events that were handed out. */
  forget(): void {
    this.#events.clear();
    this.calls.length = 0;
  }

  /** The event of this topic with this index, from the first one on. */
  eventAt(topic: string, index: number): Event {
    const event = this.#events.get(topic)?.at(index);
    if (!event) throw new Error(`no event ${index} in ${topic}`);
    return event;
  }

  /** The state that a topic shows while it is read. */
  state(name: string): Cell<TopicSnapshot> {
    const cell = this.#states.get(name) ?? new Cell<TopicSnapshot>(PENDING_TOPIC, fail);
    this.#states.set(name, cell);
    return cell;
  }

  watching(topic: string): number {
    return this.listeners.get(topic)?.size ?? 0;
  }
}
