// Two tabs on one meeting: a throttled upload in the first is seen step by step in the second, and both end alike.
import assert from "node:assert/strict";
import { openPage, stageStates, startSample, strip, waitForResult, withBrowser } from "./support.mjs";

const UPLOAD_BYTES = 20_000_000;
const BYTES_PER_SECOND = 4_000_000;

await withBrowser(async (browser) => {
  const context = await browser.newContext();
  const first = await openPage(context);
  await startSample(first.page, "weekly-review.vtt");
  const second = await openPage(context, first.page.url());
  await Promise.all([waitForResult(first.page), waitForResult(second.page)]);
  assert.deepEqual(await stageStates(second.page), await stageStates(first.page));
  const table = (page) => page.$eval("[data-result] table", (one) => one.textContent);
  assert.equal(await table(second.page), await table(first.page));
  const offsets = [await strip(first.page), await strip(second.page)].map((figures) => figures.offset);
  assert.equal(offsets[1], offsets[0]);

  const network = await context.newCDPSession(first.page);
  const limits = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: BYTES_PER_SECOND };
  await network.send("Network.emulateNetworkConditions", limits);
  const line = "Dana: We will look at the numbers again tomorrow, I think.\n";
  const text = line.repeat(Math.ceil(UPLOAD_BYTES / line.length)).slice(0, UPLOAD_BYTES);
  const before = first.page.url();
  const file = { name: "long.txt", mimeType: "text/plain", buffer: Buffer.from(text) };
  await first.page.setInputFiles(".drop input", file);
  await first.page.waitForFunction((old) => location.href !== old, before);
  await second.page.goto(first.page.url());
  await second.page.waitForFunction(() => window.uploadSteps.length >= 5);
  console.log(offsets, await second.page.evaluate(() => window.uploadSteps));
  assert.deepEqual([...first.errors, ...second.errors], []);
});
