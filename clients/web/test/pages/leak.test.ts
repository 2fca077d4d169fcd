import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningEngine } from "../engines/page.js";
import { engines } from "../engines/programs.js";
import { startEngine } from "../engines/start.js";
import { type Served, serveGallery } from "./serve.js";

const HAS_CHROMIUM = engines().includes("chromium");
const CYCLES = 500;
/** Retained by each mount, in bytes, that is a leak for sure; what engines keep for themselves is far less. */
const LEAK_BYTES = 2000;

let served: Served;
let chromium: RunningEngine | undefined;

beforeAll(async () => {
  served = await serveGallery();
  if (HAS_CHROMIUM) chromium = await startEngine("chromium");
});
afterAll(async () => {
  await chromium?.close();
  await served?.close();
});

test.runIf(HAS_CHROMIUM)(
  "500 mounts and unmounts of everything leave no subscription, and the heap as it was",
  async () => {
    const page = await (chromium as RunningEngine).open(served.url("load.html"));
    await page.evaluate(
      "new Promise((done) => { const look = () => window.ready ? done() : setTimeout(look, 20); look(); })",
    );
    const heap =
      "(() => { for (let n = 0; n < 4; n += 1) gc(); return performance.memory.usedJSHeapSize; })()";
    // What is made once, caches and compiled code, is there before the first measure.
    expect(await page.evaluate("churn(250)")).toBe(0);
    const before = (await page.evaluate(heap)) as number;
    expect(await page.evaluate(`churn(${CYCLES})`)).toBe(0);
    const after = (await page.evaluate(heap)) as number;
    process.stdout.write(`heap: ${before} bytes, after ${CYCLES} mounts ${after}\n`);
    expect((after - before) / CYCLES).toBeLessThan(LEAK_BYTES);
  },
);
