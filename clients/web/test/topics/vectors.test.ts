import { readFileSync } from "node:fs";
import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { TopicRunSchema } from "../../src/gen/shipspeak/realtime/v1/event_pb.js";
import { SubscribedSchema, Verdict } from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";
import { Topic } from "../../src/topics/topic.js";

interface Place {
  epoch: string;
  offset: string;
}
interface Step {
  run?: {
    epoch: string;
    after_offset: string;
    through_offset: string;
    events: { id: string; offset: string }[];
  };
  subscribed?: { verdict: keyof typeof Verdict; epoch: string; handled_offset: string; lost?: string };
  expect: { deliver: string[]; position: Place | null; action: string };
}
interface Case {
  name: string;
  position: Place | null;
  steps: Step[];
}

const url = new URL("../../../../tests/conformance/vectors/runs.json", import.meta.url);
const cases = JSON.parse(readFileSync(url, "utf8")) as Case[];
const noCursor = new Uint8Array(0);

function take(topic: Topic, step: Step): string {
  if (step.run) {
    const { epoch, after_offset, through_offset, events } = step.run;
    return topic.receive(
      create(TopicRunSchema, {
        topic: topic.name,
        epoch: BigInt(epoch),
        afterOffset: BigInt(after_offset),
        throughOffset: BigInt(through_offset),
        events: events.map(({ id, offset }) => ({ id, offset: BigInt(offset) })),
      }),
    );
  }
  const { verdict, epoch, handled_offset, lost } = step.subscribed as NonNullable<Step["subscribed"]>;
  return topic.subscribed(
    create(SubscribedSchema, {
      topic: topic.name,
      verdict: Verdict[verdict],
      epoch: BigInt(epoch),
      position: { handledOffset: BigInt(handled_offset) },
      ...(lost === undefined ? {} : { lost: BigInt(lost) }),
    }),
  );
}

describe("the receiver's rule, by the vectors shared with the Python SDK", () => {
  test("there are cases", () => expect(cases.length).toBeGreaterThan(20));

  test.each(cases)("$name", ({ position, steps }) => {
    const topic = new Topic(
      "meeting/1",
      "earliest",
      () => {},
      (error) => expect.unreachable(String(error)),
    );
    const delivered: string[] = [];
    topic.join({ start: "earliest", onEvent: (event) => delivered.push(event.id) });
    if (position) {
      topic.position = { epoch: BigInt(position.epoch), offset: BigInt(position.offset), cursor: noCursor };
    }
    for (const step of steps) {
      delivered.length = 0;
      expect(take(topic, step)).toBe(step.expect.action);
      expect(delivered).toEqual(step.expect.deliver);
      const place = topic.position;
      const shown = place && { epoch: String(place.epoch), offset: String(place.offset) };
      expect(shown).toEqual(step.expect.position);
    }
  });
});
