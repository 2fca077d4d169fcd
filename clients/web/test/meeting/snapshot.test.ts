import { create, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type MeetingUpdate, MeetingUpdateSchema } from "../../src/gen/shipspeak/realtime/v1/meeting_pb.js";
import { meetingReducer } from "../../src/meeting/reducer.js";
import { INITIAL_MEETING, type MeetingState } from "../../src/meeting/state.js";

const STAGES = ["upload", "parse", "pace"];

const update = (init: MessageInitShape<typeof MeetingUpdateSchema>) => create(MeetingUpdateSchema, init);

/** The keys of the Python SDK's publisher; what has none is never left out. */
function keyOf({ attempt, update: news }: MeetingUpdate): string {
  if (news.case === "upload") return `upload:${attempt}`;
  return news.case === "stageProgress" ? `stage:${attempt}:${news.value.stage}` : "";
}

/** What a snapshot leaves of a log: the latest of each key, at its place, and all without one. */
function snapshotOf(log: readonly MeetingUpdate[]): MeetingUpdate[] {
  const latest = new Map(log.map((one, index) => [keyOf(one), index]));
  return log.filter((one, index) => keyOf(one) === "" || latest.get(keyOf(one)) === index);
}

function reduce(log: readonly MeetingUpdate[]): MeetingState {
  return log.reduce(meetingReducer, INITIAL_MEETING);
}

const rising = (max: number) =>
  fc
    .array(fc.integer({ min: 0, max }), { maxLength: 4 })
    .map((all) => [...new Set(all)].sort((a, b) => a - b));

/** One stage as it is published: it begins, goes on, and is complete unless the attempt breaks off in it. */
const stageOf = (attempt: number, name: string) =>
  fc
    .record({ steps: rising(99), eta: fc.boolean(), detail: fc.string({ maxLength: 3 }) })
    .map(({ steps, eta, detail }) => [
      update({ attempt, update: { case: "stageChanged", value: { stage: name, stages: STAGES } } }),
      ...[...steps, 100].map((step) =>
        update({
          attempt,
          update: {
            case: "stageProgress",
            value: {
              stage: name,
              fraction: step / 100,
              detail: step < 100 ? detail : "",
              ...(eta && step < 100 ? { eta: { seconds: BigInt(100 - step) } } : {}),
            },
          },
        }),
      ),
    ]);

const uploadOf = (attempt: number) =>
  fc
    .record({ steps: rising(100), named: fc.boolean(), total: fc.constantFrom(0n, 100n) })
    .map(({ steps, named, total }) =>
      steps.map((sent) =>
        update({
          attempt,
          update: {
            case: "upload",
            value: { sentBytes: BigInt(sent), totalBytes: total, fileName: named ? "a.vtt" : "" },
          },
        }),
      ),
    );

const endOf = (attempt: number) =>
  fc.constantFrom(
    [],
    [update({ attempt, update: { case: "completed", value: { resultUrl: "/r", summary: "ok" } } })],
    [update({ attempt, update: { case: "failed", value: { code: "X", message: "no", stage: "parse" } } })],
  );

/** An attempt; `cut` is where it breaks off. Its upload runs before its stages, or inside the first. */
const attemptOf = (attempt: number) =>
  fc
    .record({
      upload: uploadOf(attempt),
      inside: fc.boolean(),
      stages: fc.tuple(...STAGES.map((name) => stageOf(attempt, name))),
      begin: fc.integer({ min: 0, max: 2 }),
      cut: fc.nat(25),
      end: endOf(attempt),
    })
    .map(({ upload, inside, stages, begin, cut, end }) => {
      const [first = [], ...rest] = stages;
      const uploading = inside
        ? [...first.slice(0, 1), ...upload, ...first.slice(-1)]
        : [...upload, ...first];
      const all = begin === 0 ? [...uploading, ...rest.flat()] : stages.slice(begin).flat();
      return [...all.slice(0, cut), ...end];
    });

const meeting = fc.tuple(attemptOf(1), attemptOf(2), attemptOf(3)).map((attempts) => attempts.flat());

test("G4r: who comes late, by a snapshot, sees what one sees who watched from the start", () => {
  fc.assert(
    fc.property(meeting, fc.nat(80), (log, joinedAt) => {
      const late = [...snapshotOf(log.slice(0, joinedAt)), ...log.slice(joinedAt)];
      expect(reduce(late)).toEqual(reduce(log));
      // And at the moment of joining, before anything else comes.
      expect(reduce(snapshotOf(log.slice(0, joinedAt)))).toEqual(reduce(log.slice(0, joinedAt)));
    }),
    { numRuns: 2000 },
  );
});

test("with one key for all progress a snapshot would show no upload any more", () => {
  const log = [
    update({ attempt: 1, update: { case: "upload", value: { sentBytes: 5n, totalBytes: 10n } } }),
    update({ attempt: 1, update: { case: "stageChanged", value: { stage: "upload", stages: STAGES } } }),
    update({ attempt: 1, update: { case: "stageProgress", value: { stage: "upload", fraction: 1 } } }),
  ];
  expect(reduce(snapshotOf(log)).upload).toMatchObject({ sentBytes: 5 });
  expect(reduce(log.slice(1)).upload).toBeNull();
});
