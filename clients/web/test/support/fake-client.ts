import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { RealtimeClient } from "../../src/client.js";
import { type ConnectionSnapshot, IDLE_SNAPSHOT } from "../../src/connection/snapshot.js";
import { EventSchema } from "../../src/gen/shipspeak/realtime/v1/event_pb.js";
import type { MeetingUpdateSchema } from "../../src/gen/shipspeak/realtime/v1/meeting_pb.js";
import { NOBODY, type PresenceSnapshot } from "../../src/presence/state.js";
import { Cell } from "../../src/store.js";
import type { TopicListener, TopicSnapshot } from "../../src/topics/types.js";

const PENDING: TopicSnapshot = { status: "pending", offset: null, error: null };

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
  #offset = 0n;

  connect = () => void this.calls.push("connect");
  disconnect = () => void this.calls.push("disconnect");
  close = () => void this.calls.push("close");
  retryNow = () => void this.calls.push("retryNow");
  topicState = (name: string) => (this.watching(name) > 0 ? this.state(name) : undefined);
  publish = () => Promise.reject(new Error("not here"));
  readonly said: unknown[] = [];
  readonly present = new Cell<PresenceSnapshot>(NOBODY, fail);
  presence = (_topic: string) => this.present;
  setPresence = (...words: unknown[]) => void this.said.push(words);
  markRead = () => Promise.reject(new Error("not here"));
  dismiss = () => Promise.reject(new Error("not here"));
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

  set(change: Partial<ConnectionSnapshot>): void {
    this.cell.set({ ...this.cell.getSnapshot(), ...change });
  }

  meeting(id: string, value: MessageInitShape<typeof MeetingUpdateSchema>): void {
    this.#offset += 1n;
    const event = create(EventSchema, {
      offset: this.#offset,
      content: { payload: { case: "meeting", value } },
    });
    for (const listener of this.listeners.get(`meeting/${id}`) ?? []) listener.onEvent?.(event);
  }

  /** The state that a topic shows while it is read. */
  state(name: string): Cell<TopicSnapshot> {
    const cell = this.#states.get(name) ?? new Cell<TopicSnapshot>(PENDING, fail);
    this.#states.set(name, cell);
    return cell;
  }

  watching(topic: string): number {
    return this.listeners.get(topic)?.size ?? 0;
  }
}
