// The browser's own network is disturbed from the page, and a meeting stays whole.
import assert from "node:assert/strict";
import { accountedFor, assertWholeMeeting, isLive, openPage, openPanel, startSample, strip, waitForResult, withBrowser } from "./support.mjs";

const fault = (page, name) => page.click(`[data-fault="${name}"]`);
const forget = (page) => page.evaluate(() => void (window.phases = []));
/** It was not live for a moment, however short, and then was again. */
async function cameBack(page) {
  await page.waitForFunction(() => window.phases.some((phase) => phase !== "live") && window.phases.at(-1) === "live");
}

await withBrowser(async (browser) => {
  const context = await browser.newContext();
  const { page, errors } = await openPage(context, undefined, "chloe");
  await openPanel(page);
  await startSample(page, "pitch-practice.srt");
  await page.waitForSelector('[data-stage="speakers"]');
  await forget(page);
  await fault(page, "drop");
  await cameBack(page);

  await fault(page, "stall");
  await page.waitForSelector('.strip-phase:not([data-phase="live"])');
  await fault(page, "stall");
  await isLive(page);

  // Every tab of the browser is offline with the first, and back with whichever says so.
  const second = await openPage(context, page.url(), "chloe");
  await openPanel(second.page);
  await fault(page, "offline");
  await page.waitForSelector('.strip-phase:not([data-phase="live"])');
  await second.page.waitForSelector('[data-fault="offline"][aria-pressed="true"]');
  await page.waitForSelector(".rt-banner");
  await fault(second.page, "offline");
  for (const tab of [page, second.page]) await isLive(tab);

  await waitForResult(page);
  await assertWholeMeeting(page);
  const figures = await strip(page);
  assert.equal(figures.gaps, "0");
  assert.equal(accountedFor(figures), Number(figures.offset), "an event is missing or came twice");
  assert.deepEqual([...errors, ...second.errors], []);
  console.log(figures);
});
