import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningEngine } from "../engines/page.js";
import { engines } from "../engines/programs.js";
import { startEngine } from "../engines/start.js";
import { type Served, serveGallery } from "./serve.js";

const HAS_CHROMIUM = engines().includes("chromium");

let served: Served;
let chromium: RunningEngine;

beforeAll(async () => {
  served = await serveGallery();
  if (HAS_CHROMIUM) chromium = await startEngine("chromium");
});
afterAll(async () => {
  await chromium?.close();
  await served?.close();
});

/** The gallery as a person with these preferences gets it. */
async function shown(features: Readonly<Record<string, string>>) {
  const page = await chromium.open(served.url("index.html"));
  await page.emulate(features);
  await page.evaluate(
    "new Promise((done) => { const look = () => window.gallery?.ready ? done() : setTimeout(look, 20); look(); })",
  );
  return page;
}

/** Of every part of the components: what `expression` finds of the element `one` and its `style`; each once. */
const ofAll = (expression: string) => `[...new Set([...document.querySelectorAll('[class^="rt-"]')]
  .map((one) => { const style = getComputedStyle(one); return ${expression}; }).filter(Boolean))].sort()`;

test.runIf(HAS_CHROMIUM)("K1: who asks for less motion gets none", async () => {
  const moving = ofAll(
    "style.animationName !== 'none' || parseFloat(style.transitionDuration) > 0 ? one.className : null",
  );
  const usual = await shown({});
  expect(await usual.evaluate(moving)).not.toEqual([]);
  const calm = await shown({ "prefers-reduced-motion": "reduce" });
  expect(await calm.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")).toBe(true);
  expect(await calm.evaluate(moving)).toEqual([]);
  const running = "document.getAnimations().filter((one) => one.playState === 'running').length";
  expect(await calm.evaluate(running)).toBe(0);
});

test.runIf(HAS_CHROMIUM)("K1: in forced colours nothing is told by a background alone", async () => {
  const page = await shown({ "forced-colors": "active" });
  expect(await page.evaluate("matchMedia('(forced-colors: active)').matches")).toBe(true);
  expect(await page.evaluate("window.gallery.errors")).toEqual([]);
  // What has a shape only by its background, which is taken away, has an edge or a system colour in its place.
  const lost = await page.evaluate(`(() => {
    const seen = document.createElement("div");
    seen.style.color = "Highlight";
    document.body.append(seen);
    const highlight = getComputedStyle(seen).color;
    const edges = ["bar", "stage-mark", "banner", "toast", "outbox-count", "hint", "dimension-bar"];
    const fills = ["bar-fill", "stage-fill", "dimension-fill", "dot", "banner-mark"];
    const bad = [];
    for (const name of edges)
      for (const one of document.querySelectorAll(".rt-" + name)) {
        const { borderTopStyle, borderTopWidth } = getComputedStyle(one);
        if (borderTopStyle === "none" || parseFloat(borderTopWidth) === 0) bad.push(name + ": no edge");
      }
    for (const name of fills)
      for (const one of document.querySelectorAll(".rt-" + name))
        if (getComputedStyle(one).backgroundColor !== highlight) bad.push(name + ": " + getComputedStyle(one).backgroundColor);
    return { bad: [...new Set(bad)], found: [...edges, ...fills].filter((name) => !document.querySelector(".rt-" + name)) };
  })()`);
  expect(lost).toEqual({ bad: [], found: [] });
  expect((await page.screenshot()).length).toBeGreaterThan(20_000);
});
