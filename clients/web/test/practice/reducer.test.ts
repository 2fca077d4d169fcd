import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { HintLevel, PracticeUpdateSchema } from "../../src/gen/shipspeak/realtime/v1/practice_pb.js";
import { practiceReducer } from "../../src/practice/reducer.js";
import { HINTS_KEPT, INITIAL_PRACTICE } from "../../src/practice/state.js";

type Update = NonNullable<MessageInitShape<typeof PracticeUpdateSchema>["update"]>;

let count = 0;

function after(...updates: readonly (Update | readonly [string, Update])[]) {
  return updates.reduce((state, one) => {
    count += 1;
    const [key, update] = "case" in one ? [String(count), one] : one;
    return practiceReducer(state, create(PracticeUpdateSchema, { update }), key);
  }, INITIAL_PRACTICE);
}

const hint = (text: string, level = HintLevel.NUDGE): Update => ({
  case: "hint",
  value: { aspect: "pace", text, level, at: { seconds: 3n } },
});
const milestone = (milestoneId: string): Update => ({
  case: "milestone",
  value: { milestoneId, title: "Two minutes", fraction: 0.5 },
});
const figures = (final: boolean): Update => ({
  case: "analytics",
  value: { final, elapsed: { seconds: 60n }, figures: [{ name: "words", value: 7 }] },
});

test("hints are kept in order, each once by its event, and not for ever", () => {
  const { hints, phase } = after(["a", hint("slower")], ["a", hint("slower")], ["b", hint("louder")]);
  expect(hints.map((one) => one.text)).toEqual(["slower", "louder"]);
  expect(hints[0]).toMatchObject({ tone: "nudge", atMs: 3000 });
  expect(phase).toBe("live");
  const many = Array.from({ length: HINTS_KEPT + 5 }, (_, index) => hint(String(index)));
  expect(after(...many).hints).toHaveLength(HINTS_KEPT);
});

test("a level of a later version is shown as information", () => {
  expect(after(hint("x", 99 as HintLevel)).hints[0]?.tone).toBe("info");
});

test("the newest score stands for all before it", () => {
  const score = (overall: number): Update => ({ case: "score", value: { overall, dimensions: [] } });
  expect(after(score(40), score(60)).overall).toBe(60);
});

test("B3: a milestone counts once by its id", () => {
  expect(after(milestone("m1"), milestone("m1"), milestone("m2")).milestones.map((one) => one.id)).toEqual([
    "m1",
    "m2",
  ]);
});

test("behind the last figures nothing changes", () => {
  const ended = after(figures(false), figures(true));
  expect(ended).toMatchObject({ phase: "ended", elapsedMs: 60_000 });
  expect(practiceReducer(ended, create(PracticeUpdateSchema, { update: hint("late") }), "z")).toBe(ended);
});

test("a kind of a later version changes nothing", () => {
  expect(practiceReducer(INITIAL_PRACTICE, create(PracticeUpdateSchema), "a")).toBe(INITIAL_PRACTICE);
});
