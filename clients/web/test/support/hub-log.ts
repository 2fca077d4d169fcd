import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type ContentSchema,
  EventSchema,
  type Position,
  type TopicRunSchema,
} from "../../src/gen/shipspeak/realtime/v1/event_pb.js";
import { Start, type Subscribe, Verdict } from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";
import type { FrameInit } from "./wire.js";

export type ContentInit = MessageInitShape<typeof ContentSchema>;
type RunInit = MessageInitShape<typeof TopicRunSchema>;

interface StoredEvent {
  readonly offset: bigint;
  readonly id: string;
  /** null = it was withdrawn. */
  content: ContentInit | null;
}

/** Where a reader is set, and what it is told about that. */
export interface Place {
  readonly from: bigint;
  readonly verdict: Verdict;
}

const EPOCH = 7n;

/** The logs of the test's hub, in memory: what resumes, where, and what a run of it looks like. */
export class HubLog {
  epoch = EPOCH;
  readonly #logs = new Map<string, StoredEvent[]>();
  readonly #floors = new Map<string, bigint>();

  /** Stores one event; an id that is known keeps its first offset. */
  store(topic: string, content: ContentInit, id?: string): { offset: bigint; duplicate: boolean } {
    const log = this.#log(topic);
    const known = log.find((event) => event.id === id);
    if (known) return { offset: known.offset, duplicate: true };
    const offset = BigInt(log.length + 1);
    log.push({ offset, id: id ?? `${topic}:${offset}`, content });
    return { offset, duplicate: false };
  }

  /** Retention: events up to and with this offset are gone. */
  trim(topic: string, floor: bigint): void {
    this.#floors.set(topic, floor);
  }

  /** Takes an event's content; its place stays. */
  withdraw(topic: string, offset: bigint): void {
    const event = this.#log(topic)[Number(offset) - 1];
    if (event) event.content = null;
  }

  /** The content of an event; null = it was withdrawn. */
  content(topic: string, offset: bigint): ContentInit | null {
    return this.#log(topic)[Number(offset) - 1]?.content ?? null;
  }

  /** The receipt with this id, if there is one. */
  receipt(topic: string, id: string): ContentInit | null {
    return this.#log(topic).find((event) => event.id === id)?.content ?? null;
  }

  /** The offsets of the events that are meant; offset 0 = all of the id. */
  named({ topic, eventId, offset }: { topic: string; eventId: string; offset: bigint }): bigint[] {
    const meant = this.#log(topic).filter(({ id }) => id === eventId);
    return meant.map((event) => event.offset).filter((at) => offset === 0n || at === offset);
  }

  head(topic: string): bigint {
    return BigInt(this.#log(topic).length);
  }

  texts(topic: string): string[] {
    return this.#log(topic).map(({ content }) => content?.attributes?.["text"] ?? "");
  }

  run(topic: string, after: bigint, limit = Number.POSITIVE_INFINITY): RunInit {
    const page = this.#log(topic).slice(Number(after), Number(after) + limit);
    const throughOffset = page.at(-1)?.offset ?? after;
    const events = page.flatMap(({ content, ...event }) =>
      content ? [create(EventSchema, { ...event, content })] : [],
    );
    const withdrawn = page.length - events.length;
    const cursor = this.cursor(throughOffset);
    return { topic, epoch: this.epoch, afterOffset: after, throughOffset, events, withdrawn, cursor };
  }

  /** Subscribed, and the run up to head when there is something. */
  answer(one: Subscribe): FrameInit[] {
    const { from, verdict } = this.place(one);
    const head = this.head(one.topic);
    const position = { cursor: this.cursor(from), handledOffset: from };
    const value = { topic: one.topic, verdict, position, head, epoch: this.epoch };
    const frames: FrameInit[] = [{ control: { case: "subscribed", value } }];
    if (head > from) frames.push({ runs: [this.run(one.topic, from)] });
    return frames;
  }

  place(one: Subscribe): Place {
    if (one.start.case === "position") return this.resume(one.topic, one.start.value);
    const earliest = one.start.value === Start.EARLIEST;
    return { from: earliest ? this.#floor(one.topic) : this.head(one.topic), verdict: Verdict.OK };
  }

  resume(topic: string, position: Position | undefined): Place {
    const floor = this.#floor(topic);
    if (!position) return { from: floor, verdict: Verdict.OK };
    const [epoch] = new TextDecoder().decode(position.cursor).split(":");
    if (epoch !== String(this.epoch) && epoch !== "") return { from: floor, verdict: Verdict.RESET };
    const { handledOffset } = position;
    return handledOffset < floor
      ? { from: floor, verdict: Verdict.GAP }
      : { from: handledOffset, verdict: Verdict.OK };
  }

  cursor(offset: bigint): Uint8Array<ArrayBuffer> {
    return new TextEncoder().encode(`${this.epoch}:${offset}`);
  }

  #floor(topic: string): bigint {
    return this.#floors.get(topic) ?? 0n;
  }

  #log(topic: string): StoredEvent[] {
    const log = this.#logs.get(topic) ?? [];
    this.#logs.set(topic, log);
    return log;
  }
}
