// With 404 on Listen the page completes by polling; when Listen is there again, it goes back to it.
import assert from "node:assert/strict";
import { accountedFor, assertWholeMeeting, blockStreaming, openPage, startSample, strip, waitForFigure, waitForResult, withBrowser } from "./support.mjs";

await withBrowser(async (browser) => {
  await blockStreaming(true);
  const { page, errors } = await openPage(await browser.newContext());
  await waitForFigure(page, "transport", "polling");
  await startSample(page, "weekly-review.vtt");
  await waitForResult(page);
  const polled = await strip(page);
  assert.equal(polled.transport, "polling");
  assert.equal(accountedFor(polled), Number(polled.offset), "an event is missing or came twice");
  await assertWholeMeeting(page);

  await blockStreaming(false);
  await waitForFigure(page, "transport", "stream");
  await page.evaluate(() => {
    window.activeStages = [];
  });
  await startSample(page, "pitch-practice.srt");
  await page.waitForSelector('.rt-meeting[data-phase="processing"]');
  await waitForResult(page);
  const figures = await strip(page);
  assert.equal(figures.transport, "stream");
  assert.equal(figures.gaps, "0");
  assert.deepEqual(errors, []);
  console.log(figures);
});
