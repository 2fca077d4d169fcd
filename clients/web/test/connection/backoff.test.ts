import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BACKOFF, backoffDelay, type Wait } from "../../src/connection/backoff.js";
import { INITIAL, type MachineState, transition } from "../../src/connection/machine.js";
import { DEFAULT_TIMING } from "../../src/connection/timing.js";
import { RealtimeError } from "../../src/errors.js";

interface Delay {
  name: string;
  kind: Wait["kind"];
  attempt?: number;
  hint_ms?: number;
  within_ms?: number;
  random: number;
  delay_ms: number;
}
interface Sequence {
  name: string;
  random: number;
  steps: { lost_after_live_ms: number | null; delay_ms: number }[];
}

const url = new URL("../../../../tests/conformance/vectors/backoff.json", import.meta.url);
const vectors = JSON.parse(readFileSync(url, "utf8")) as {
  constants: Record<string, unknown>;
  delays: Delay[];
  sequences: Sequence[];
};

function waitOf({ kind, attempt = 0, hint_ms: hintMs = 0, within_ms: withinMs = 0 }: Delay): Wait {
  return { kind, attempt, hintMs, withinMs } as Wait;
}

describe("the wait before the next attempt, by the vectors shared with the Python SDK", () => {
  test("constants", () => {
    expect(vectors.constants).toEqual({
      base_ms: BACKOFF.baseMs,
      floor_ms: BACKOFF.floorMs,
      cap_ms: BACKOFF.capMs,
      live_ms: DEFAULT_TIMING.settledMs,
      first_loss_ms: BACKOFF.firstLossMs,
      slow_ms: BACKOFF.slowMs,
    });
  });

  test.each(vectors.delays)("$name", (delay) => {
    expect(backoffDelay(waitOf(delay), delay.random)).toBeCloseTo(delay.delay_ms, 6);
  });

  test.each(vectors.sequences)("$name", ({ steps, random }) => {
    let state: MachineState = { ...INITIAL, phase: "live" };
    for (const step of steps) {
      const settled = step.lost_after_live_ms !== null && step.lost_after_live_ms >= DEFAULT_TIMING.settledMs;
      state = { ...state, phase: step.lost_after_live_ms === null ? "connecting" : "live" };
      if (settled) [state] = transition(state, { type: "settled" });
      const error = new RealtimeError("lost", { kind: "network" });
      const facts = { at: 0, online: true, unaryWorks: false, hiding: false, livedMs: null, waiting: false };
      const [next, effects] = transition(state, { type: "lost", error, ...facts });
      const wait = effects.find((effect) => effect.type === "wait");
      expect(wait && backoffDelay(wait.wait, random)).toBeCloseTo(step.delay_ms, 6);
      state = next;
    }
  });

  test("a hidden page may wait longer", () => {
    expect(backoffDelay({ kind: "retry", attempt: 20 }, 1, true)).toBe(BACKOFF.floorMs + BACKOFF.hiddenCapMs);
  });
});
