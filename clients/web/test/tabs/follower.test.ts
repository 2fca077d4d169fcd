import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { EventSchema, type TopicRun, TopicRunSchema } from "../../src/gen/shipspeak/realtime/v1/event_pb.js";
import { ServerFrameSchema } from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";
import { PresenceBook } from "../../src/presence/book.js";
import { subscribed } from "../../src/tabs/admit.js";
import { Follower } from "../../src/tabs/follower.js";
import { type Body, TABS_VERSION, type TabMessage } from "../../src/tabs/messages.js";
import { TopicRegistry } from "../../src/topics/registry.js";
import { TestEnvironment } from "../support/environment.js";

const TOPIC = "meeting/1";
const EPOCH = 7n;
const cursor = (offset: bigint) => new TextEncoder().encode(String(offset));

function run(after: bigint, through: bigint): TopicRun {
  const events = [];
  for (let offset = after + 1n; offset <= through; offset += 1n) {
    events.push(create(EventSchema, { offset, id: String(offset) }));
  }
  const place = { afterOffset: after, throughOffset: through, cursor: cursor(through) };
  return create(TopicRunSchema, { topic: TOPIC, epoch: EPOCH, events, ...place });
}

/** What a leader may relay: runs with holes, repeats and overlaps; and how the stream is torn meanwhile. */
const relayed = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("run" as const),
      after: fc.nat({ max: 40 }),
      size: fc.integer({ min: 1, max: 6 }),
    }),
    fc.record({ kind: fc.constantFrom("tear" as const, "lead" as const, "flood" as const) }),
  ),
  { maxLength: 30 },
);

test("D5: whatever is relayed, missed, repeated or torn, a follower's events come once, in order, and complete", async () => {
  await fc.assert(
    fc.asyncProperty(relayed, async (steps) => {
      const environment = new TestEnvironment();
      const hooks = { onChange: () => {}, onReplay: () => {} };
      const registry = new TopicRegistry(environment, () => {}, new PresenceBook(environment.report), hooks);
      const seen: bigint[] = [];
      registry.subscribe(TOPIC, { start: "earliest", onEvent: (event) => seen.push(event.offset) });
      let head = 3n;
      const said: Body[] = [];
      const follower = new Follower({
        registry,
        environment,
        post: (body) => said.push(body),
        onLeaderState: () => {},
        catchUp: async () => {
          const { position } = registry.get(TOPIC) ?? {};
          const from = position?.offset ?? 0n;
          const answer = position
            ? []
            : [subscribed(TOPIC, { epoch: EPOCH, offset: 0n, cursor: cursor(0n) })];
          const news = head > from ? [create(ServerFrameSchema, { runs: [run(from, head)] })] : [];
          return { frames: [...answer, ...news], more: false };
        },
      });
      const hear = (body: Body) =>
        follower.hear({ v: TABS_VERSION, from: "leader", term: "1", ...body } as TabMessage);
      const state = { live: true, polling: false, hidden: false, beatMs: 1000, peers: 1 };
      const ready = () =>
        hear({
          kind: "ready",
          ready: { topic: TOPIC, status: "log", epoch: EPOCH, offset: head, cursor: cursor(head) },
        });
      let stop = new AbortController();
      const read = async (signal: AbortSignal) => {
        for await (const { message } of follower.frames(signal)) expect(registry.receive(message)).toBe(true);
      };
      follower.begin();
      let reading = read(stop.signal);
      hear({ kind: "lead", state });
      ready();
      for (const step of steps) {
        await Promise.resolve();
        if (step.kind === "run") {
          const through = BigInt(step.after + step.size);
          if (through > head) head = through;
          hear({
            kind: "frame",
            bytes: toBinary(
              ServerFrameSchema,
              create(ServerFrameSchema, { runs: [run(BigInt(step.after), through)] }),
            ),
          });
        } else if (step.kind === "flood") {
          const bytes = toBinary(
            ServerFrameSchema,
            create(ServerFrameSchema, { runs: [run(head - 1n, head)] }),
          );
          for (let count = 0; count < 1100; count += 1) hear({ kind: "frame", bytes });
        } else if (step.kind === "lead") {
          hear({ kind: "lead", state });
          ready();
        } else {
          stop.abort();
          await reading;
          stop = new AbortController();
          reading = read(stop.signal);
          ready();
        }
      }
      ready();
      while (BigInt(seen.length) < head) await new Promise((resolve) => setTimeout(resolve, 0));
      stop.abort();
      await reading;
      expect(seen).toEqual(Array.from({ length: Number(head) }, (_, index) => BigInt(index + 1)));
    }),
    { numRuns: 100 },
  );
}, 60_000);
