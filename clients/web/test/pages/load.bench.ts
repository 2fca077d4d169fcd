import { expect, test } from "vitest";
import { startEngine } from "../engines/start.js";
import { serveGallery } from "./serve.js";

/** How long each of the two is watched, in milliseconds. */
const MS = 10_000;
const LIMIT_MS = 8;

function p95(frames: readonly number[]): number {
  return [...frames].sort((a, b) => a - b)[Math.floor(frames.length * 0.95)] ?? Number.NaN;
}

test("1000 events a second into 200 mounted hooks cost less than 8 ms of script in a frame, above the page idle", async () => {
  const served = await serveGallery();
  const chromium = await startEngine("chromium");
  try {
    const page = await chromium.open(served.url("load.html"));
    await page.evaluate(
      "new Promise((done) => { const look = () => window.ready ? done() : setTimeout(look, 20); look(); })",
    );
    const idle = (await page.evaluate(`load(0, ${MS})`)) as number[];
    const loaded = (await page.evaluate(`load(1000, ${MS})`)) as number[];
    const above = p95(loaded) - p95(idle);
    process.stdout.write(
      `script in a frame, p95: idle ${p95(idle).toFixed(2)} ms (${idle.length} frames), ` +
        `1000 events/s into 200 hooks ${p95(loaded).toFixed(2)} ms (${loaded.length} frames): ` +
        `${above.toFixed(2)} ms above, of ${LIMIT_MS}\n`,
    );
    expect(above).toBeLessThan(LIMIT_MS);
  } finally {
    await chromium.close();
    await served.close();
  }
});
