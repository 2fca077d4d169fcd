import { describe, expect, test } from "vitest";
import { PACE, paceMs, pauseMs } from "../../src/session/pace.js";

describe("G2r: the pace of polls", () => {
  test("starts at a second, grows by half while nothing comes, and stays below its bound", () => {
    let pace: number | null = null;
    const paces: number[] = [];
    for (let poll = 0; poll < 10; poll += 1) {
      pace = paceMs(pace, false, false);
      paces.push(pace);
    }
    expect(paces.slice(0, 4)).toEqual([1000, 1500, 2250, 3375]);
    expect(paces.at(-1)).toBe(PACE.mostMs);
  });

  test("events halve it, down to a second", () => {
    expect(paceMs(12_000, true, false)).toBe(6000);
    expect(paceMs(1200, true, false)).toBe(1000);
  });

  test("a page that nobody sees may wait longer, and one that is seen again does not", () => {
    expect(paceMs(50_000, false, true)).toBe(PACE.hiddenMostMs);
    expect(paceMs(50_000, false, false)).toBe(PACE.mostMs);
  });

  test("jitter of 20 % both ways; twice as long to save data; never shorter than the hub asks for", () => {
    const usual = { hintMs: null, savesData: false };
    expect(pauseMs(1000, { ...usual, random: 0 })).toBe(800);
    expect(pauseMs(1000, { ...usual, random: 1 })).toBeCloseTo(1200);
    expect(pauseMs(1000, { ...usual, savesData: true, random: 0.5 })).toBe(2000);
    expect(pauseMs(1000, { ...usual, hintMs: 5000, random: 0.5 })).toBe(5000);
  });
});
