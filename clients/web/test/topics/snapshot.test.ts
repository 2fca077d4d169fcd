import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { TopicRunSchema } from "../../src/gen/shipspeak/realtime/v1/event_pb.js";
import { Start, SubscribedSchema, Verdict } from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";
import {
  type ReadHistoryRequestSchema,
  ReadHistoryResponseSchema,
} from "../../src/gen/shipspeak/realtime/v1/realtime_service_pb.js";
import { PresenceBook } from "../../src/presence/book.js";
import { TopicRegistry } from "../../src/topics/registry.js";
import { replay } from "../../src/topics/replay.js";
import { Topic } from "../../src/topics/topic.js";
import { TestEnvironment } from "../support/environment.js";

const ignore = () => {};
const cursor = new Uint8Array([1]);

function run(after: bigint, through: bigint, ids: string[]) {
  const events = ids.map((id) => ({ id, offset: BigInt(id.slice(1)) }));
  return create(TopicRunSchema, {
    topic: "meeting/1",
    epoch: 7n,
    afterOffset: after,
    throughOffset: through,
    events,
    cursor,
  });
}

/** A topic that stands at offset 4, after it has handed something over. */
function begun(start: "latest" | "earliest" | "snapshot"): Topic {
  const topic = new Topic("meeting/1", start, ignore, ignore);
  const position = { cursor, handledOffset: 3n };
  topic.subscribed(create(SubscribedSchema, { verdict: Verdict.OK, epoch: 7n, head: 3n, position }));
  topic.receive(run(3n, 4n, ["e4"]));
  return topic;
}

test("a snapshot is asked for by its name", () => {
  const registry = new TopicRegistry(new TestEnvironment(), ignore, new PresenceBook(ignore), {
    onChange: ignore,
    onReplay: ignore,
  });
  registry.subscribe("meeting/1", { start: "snapshot" });
  expect(registry.subscriptions()).toEqual([
    { topic: "meeting/1", start: { case: "at", value: Start.SNAPSHOT } },
  ]);
});

test("a late listener reads the latest of each key and goes on where the topic stands", async () => {
  const topic = begun("latest");
  const got: string[] = [];
  const member = topic.join({ start: "snapshot", onEvent: (event) => got.push(event.id) });
  expect(member.replaying).toBe(true);
  const asked: MessageInitShape<typeof ReadHistoryRequestSchema>[] = [];
  await replay(topic, member, {
    signal: new AbortController().signal,
    read: async (request) => {
      asked.push(request);
      return create(ReadHistoryResponseSchema, { verdict: Verdict.OK, runs: [run(0n, 4n, ["e2", "e4"])] });
    },
    pause: async () => {},
  });
  expect(asked).toEqual([{ topic: "meeting/1", latestPerKey: true }]);
  expect(got).toEqual(["e2", "e4"]);
  expect(member.replaying).toBe(false);
});

test("the whole log serves who wants a snapshot, but not the other way round", () => {
  const fresh = (start: "earliest" | "snapshot") => new Topic("meeting/1", start, ignore, ignore);
  expect(fresh("earliest").join({ start: "snapshot" }).replaying).toBe(false);
  expect(fresh("snapshot").join({ start: "snapshot" }).replaying).toBe(false);
  expect(fresh("snapshot").join({ start: "earliest" }).replaying).toBe(true);
  expect(begun("earliest").join({ start: "snapshot" }).replaying).toBe(true);
});

test("G6: what a run counts in place of delivering it is counted here too, once", () => {
  const counted = new Map<string, number>();
  const count = (name: string, by: number) => counted.set(name, (counted.get(name) ?? 0) + by);
  const topic = new Topic("meeting/1", "snapshot", count, ignore);
  const position = { cursor, handledOffset: 0n };
  topic.subscribed(create(SubscribedSchema, { verdict: Verdict.OK, epoch: 7n, head: 6n, position }));
  const sparse = { ...run(0n, 6n, ["e4"]), conflated: 3, expired: 1, withdrawn: 1 };
  for (let times = 0; times < 2; times += 1) topic.receive(create(TopicRunSchema, sparse));
  expect(counted.get("leftOut")).toBe(5);
});

test("a page that was asked for before a RESET is not handed over behind it", async () => {
  const topic = begun("latest");
  const got: string[] = [];
  const member = topic.join({
    start: "earliest",
    onEvent: (event) => got.push(`${event.id}`),
    onVerdict: (news) => got.push(news.verdict),
  });
  const page = (epoch: bigint, ids: string[]) =>
    create(ReadHistoryResponseSchema, { runs: [{ ...run(0n, BigInt(ids.length), ids), epoch }] });
  let reads = 0;
  await replay(topic, member, {
    signal: new AbortController().signal,
    read: async () => {
      reads += 1;
      if (reads > 1) return page(9n, ["n1", "n2"]);
      const position = { cursor, handledOffset: 2n };
      topic.subscribed(create(SubscribedSchema, { verdict: Verdict.RESET, epoch: 9n, head: 2n, position }));
      return page(7n, ["e1", "e2", "e3", "e4"]);
    },
    pause: async () => {},
  });
  expect(got).toEqual(["reset", "n1", "n2"]);
});
