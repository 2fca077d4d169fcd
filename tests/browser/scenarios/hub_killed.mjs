// The hub is killed with SIGKILL twice while a page reads a meeting. The page is not touched.
import assert from "node:assert/strict";
import { accountedFor, assertWholeMeeting, hubPid, openPage, startSample, strip, waitForResult, waitForStage, withBrowser } from "./support.mjs";

await withBrowser(async (browser) => {
  const { page, errors } = await openPage(await browser.newContext());
  await page.evaluate(() => {
    window.sameDocument = true;
  });
  await startSample(page, "weekly-review.vtt");
  const killed = [];
  for (const stage of ["speakers", "language"]) {
    await waitForStage(page, stage);
    killed.push(await hubPid());
    process.kill(killed.at(-1), "SIGKILL");
    await page.waitForSelector('.strip-phase:not([data-phase="live"])');
    await page.waitForSelector('.strip-phase[data-phase="live"]');
    assert.notEqual(await hubPid(), killed.at(-1));
  }
  await waitForResult(page);

  assert.equal(await page.evaluate(() => window.sameDocument), true, "the page was reloaded");
  await assertWholeMeeting(page);
  const figures = await strip(page);
  assert.equal(figures.transport, "stream");
  assert.equal(figures.gaps, "0");
  assert.equal(accountedFor(figures), Number(figures.offset), "an event is missing or came twice");
  assert.deepEqual(errors, []);
  console.log("killed", killed, figures);
});
