import { create, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MeetingUpdateSchema } from "../../src/gen/shipspeak/realtime/v1/meeting_pb.js";
import { meetingReducer } from "../../src/meeting/reducer.js";
import { INITIAL_MEETING, type MeetingState } from "../../src/meeting/state.js";

type Init = MessageInitShape<typeof MeetingUpdateSchema>;
const STAGES = ["upload", "parse", "pace"];

function reduce(updates: readonly Init[], from: MeetingState = INITIAL_MEETING): MeetingState {
  return updates.reduce<MeetingState>(
    (state, one) => meetingReducer(state, create(MeetingUpdateSchema, one)),
    from,
  );
}

const uploaded = (sent: number, attempt = 1): Init => ({
  attempt,
  update: { case: "upload", value: { sentBytes: BigInt(sent), totalBytes: 100n, fileName: "a.vtt" } },
});
const stage = (name: string, attempt = 1): Init => ({
  attempt,
  update: { case: "stageChanged", value: { stage: name, stages: STAGES } },
});
const progress = (name: string, fraction: number, attempt = 1): Init => ({
  attempt,
  update: {
    case: "stageProgress",
    value: { stage: name, fraction, eta: { seconds: 4n }, detail: "cue 1 of 2" },
  },
});
const completed = (attempt = 1): Init => ({
  attempt,
  update: { case: "completed", value: { resultUrl: "/r", summary: "ok" } },
});
const failed = (name: string, attempt = 1): Init => ({
  attempt,
  update: {
    case: "failed",
    value: { code: "BROKEN", message: "no", stage: name, options: [{ label: "Again" }] },
  },
});

describe("one attempt", () => {
  test("goes from upload through its stages to the result", () => {
    const begun = reduce([stage("upload"), uploaded(50)]);
    expect(begun).toMatchObject({ phase: "uploading", stage: "upload", fraction: 0.5 / 3 });
    expect(begun.upload).toMatchObject({ sentBytes: 50, totalBytes: 100, fileName: "a.vtt" });
    const half = reduce([stage("parse"), progress("parse", 0.5)], begun);
    expect(half).toMatchObject({
      phase: "processing",
      stage: "parse",
      fraction: 0.5,
      etaMs: 4000,
      detail: "cue 1 of 2",
    });
    expect(half.stages.map((one) => one.status)).toEqual(["done", "active", "pending"]);
    const end = reduce([stage("pace"), completed()], half);
    expect(end).toMatchObject({
      phase: "completed",
      stage: null,
      fraction: 1,
      result: { url: "/r", summary: "ok" },
    });
    expect(end.stages.map((one) => one.status)).toEqual(["done", "done", "done"]);
  });

  test("a failure names its stage and its ways out, and ends the attempt", () => {
    const state = reduce([stage("parse"), failed("parse"), progress("parse", 0.9), completed()]);
    expect(state).toMatchObject({
      phase: "failed",
      stage: "parse",
      failure: { code: "BROKEN", stage: "parse" },
    });
    expect(state.failure?.options.map((one) => one.label)).toEqual(["Again"]);
    expect(state.stages.map((one) => one.status)).toEqual(["done", "failed", "pending"]);
  });

  test.each([
    ["fewer bytes", [uploaded(50)], uploaded(40)],
    ["bytes after the upload", [stage("parse")], uploaded(100)],
    ["an earlier stage", [stage("pace")], stage("parse")],
    ["less of a stage", [stage("parse"), progress("parse", 0.5)], progress("parse", 0.4)],
    ["progress of an earlier stage", [stage("pace")], progress("parse", 0.9)],
    ["progress of a stage that was never announced", [stage("pace")], progress("sing", 0.9)],
    ["an older attempt", [stage("parse", 2)], progress("parse", 0.9, 1)],
    ["a kind of a later version", [stage("parse")], { attempt: 1 }],
  ])("%s changes nothing", (_name, before, late) => {
    const state = reduce(before);
    expect(reduce([late], state)).toBe(state);
  });

  test("a stage that is entered again keeps what it had", () => {
    const state = reduce([stage("parse"), progress("parse", 0.5), stage("parse"), progress("parse", 0.2)]);
    expect(state.stages[1]).toEqual({ name: "parse", status: "active", fraction: 0.5 });
  });

  test("progress of a stage whose beginning was lost counts as its beginning", () => {
    const state = reduce([stage("upload"), progress("pace", 0.2)]);
    expect(state).toMatchObject({ stage: "pace", phase: "processing" });
  });
});

test("a new attempt begins anew and keeps the names of the stages", () => {
  const state = reduce([stage("parse"), failed("parse"), uploaded(10, 2)]);
  expect(state).toMatchObject({ attempt: 2, phase: "uploading", failure: null, result: null });
  expect(state.stages.map((one) => one.name)).toEqual(STAGES);
  expect(state.stages.slice(1).every((one) => one.status === "pending")).toBe(true);
});

const anyUpdate = fc.oneof(
  fc.tuple(fc.nat(100), fc.integer({ min: 1, max: 3 })).map(([sent, attempt]) => uploaded(sent, attempt)),
  fc
    .tuple(fc.constantFrom(...STAGES), fc.integer({ min: 1, max: 3 }))
    .map(([name, attempt]) => stage(name, attempt)),
  fc
    .tuple(
      fc.constantFrom(...STAGES),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 1, max: 3 }),
    )
    .map(([name, fraction, attempt]) => progress(name, fraction, attempt)),
  fc.integer({ min: 1, max: 3 }).map(completed),
  fc.integer({ min: 1, max: 3 }).map((attempt) => failed("parse", attempt)),
);

test("whatever comes, progress never falls within an attempt, and what comes again changes nothing", () => {
  fc.assert(
    fc.property(fc.array(anyUpdate, { maxLength: 30 }), (updates) => {
      let state = INITIAL_MEETING;
      for (const update of updates) {
        const next = reduce([update], state);
        expect(next.attempt).toBeGreaterThanOrEqual(state.attempt);
        if (next.attempt === state.attempt) expect(next.fraction).toBeGreaterThanOrEqual(state.fraction);
        expect(reduce([update], next)).toEqual(next);
        state = next;
      }
    }),
  );
});
