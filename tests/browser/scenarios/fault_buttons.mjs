// The page's own buttons: one kills the hub, the other blocks its streams, and every tab shows how it stands.
import assert from "node:assert/strict";
import { hubPid, openPage, openPanel, startSample, strip, waitForFigure, waitForResult, withBrowser } from "./support.mjs";

const BLOCK = '[data-fault="block"]';
const KILL = '[data-fault="kill"]';
const pressed = (value) => `${BLOCK}[aria-pressed="${value}"]`;

await withBrowser(async (browser) => {
  const context = await browser.newContext();
  const { page, errors } = await openPage(context);
  await waitForFigure(page, "transport", "stream");

  await openPanel(page);
  await page.click(BLOCK);
  await page.waitForSelector(pressed(true));
  await waitForFigure(page, "transport", "polling");
  await page.reload();
  await page.waitForSelector(pressed(true));
  const second = await openPage(context);
  await openPanel(second.page);
  await second.page.waitForSelector(pressed(true));
  await second.page.click(BLOCK);
  await second.page.waitForSelector(pressed(false));
  await second.page.close();
  await page.bringToFront();
  await waitForFigure(page, "transport", "stream");
  await page.waitForSelector(pressed(false));

  const before = await hubPid();
  await startSample(page, "weekly-review.vtt");
  await page.click(KILL);
  await page.waitForSelector('.strip-phase:not([data-phase="live"])');
  await page.waitForSelector('.strip-phase[data-phase="live"]');
  assert.notEqual(await hubPid(), before);
  await waitForResult(page);
  const figures = await strip(page);
  assert.equal(figures.gaps, "0");
  assert.deepEqual([...errors, ...second.errors], []);
  console.log(figures);
});
