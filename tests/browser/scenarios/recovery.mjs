// A broken transcript fails with ways out; a good file in the same meeting leads to the result.
import assert from "node:assert/strict";
import { openPage, startSample, waitForResult, withBrowser } from "./support.mjs";

await withBrowser(async (browser) => {
  const { page, errors } = await openPage(await browser.newContext());
  await startSample(page, "broken-standup.vtt");
  await page.waitForSelector('.rt-meeting[data-phase="failed"]');
  const address = page.url();
  const options = await page.$$eval(".rt-failure-options .rt-button", (all) => all.map((one) => one.textContent));
  // The same file would fail again: only ways out that can work are offered.
  assert.deepEqual(options, ["Upload a corrected file"]);
  assert.notEqual(await page.textContent(".rt-failure-text"), "");
  const alert = await page.waitForFunction(() => document.querySelector('.rt-meeting [role="alert"]')?.textContent);
  assert.match(await alert.jsonValue(), /failed/);

  await page.click('.rt-failure-options .rt-button:text-matches("upload|choose|another|corrected", "i")');
  await page.click('[data-sample="pitch-practice.srt"]');
  await waitForResult(page);
  assert.equal(page.url(), address, "it is another meeting");
  assert.deepEqual(errors, []);
  console.log(options);
});
