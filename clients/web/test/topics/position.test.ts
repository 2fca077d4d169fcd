import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { TopicRunSchema } from "../../src/gen/shipspeak/realtime/v1/event_pb.js";
import { type Position, receiveRun, resumeFrom } from "../../src/topics/position.js";

const cursor = new Uint8Array([1]);
const start: Position = { epoch: 7n, offset: 2n, cursor };

function after(run: { throughOffset: bigint; events: bigint[]; cursor?: Uint8Array }): Position {
  const outcome = receiveRun(
    start,
    create(TopicRunSchema, {
      epoch: 7n,
      afterOffset: 2n,
      throughOffset: run.throughOffset,
      cursor: run.cursor ?? new Uint8Array(0),
      events: run.events.map((offset) => ({ id: `e${offset}`, offset })),
    }),
  );
  if (outcome.kind !== "take") throw new Error(outcome.kind);
  return outcome.position;
}

test("a place beyond the cursor is proved by the id of the event that stands there", () => {
  const position = after({ throughOffset: 4n, events: [3n, 4n] });
  expect(resumeFrom(position)).toEqual({ cursor, handledOffset: 4n, handledId: "e4" });
});

test("a place without an event that is known has no proof", () => {
  expect(resumeFrom(after({ throughOffset: 5n, events: [3n] })).handledId).toBe("");
});

test("a cursor of the place needs no other proof", () => {
  const own = new Uint8Array([2]);
  const position = after({ throughOffset: 3n, events: [3n], cursor: own });
  expect(resumeFrom(position)).toEqual({ cursor: own, handledOffset: 3n, handledId: "" });
});
