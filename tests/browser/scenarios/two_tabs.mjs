// Two tabs and a terminal on one meeting end alike; the second tab sees a throttled upload in the first step by step.
import assert from "node:assert/strict";
import { accountedFor, openPage, openPanel, stageStates, startSample, strip, waitForResult, withBrowser } from "./support.mjs";
import { withTerminal } from "./terminal.mjs";

const UPLOAD_BYTES = 20_000_000;
const BYTES_PER_SECOND = 4_000_000;

await withBrowser(async (browser) => {
  const context = await browser.newContext();
  const first = await openPage(context);
  await openPanel(first.page);
  await startSample(first.page, "weekly-review.vtt");
  const { second, figures } = await withTerminal(first.page, async (terminal) => {
    const phase = await first.page.getAttribute(".rt-meeting", "data-phase");
    assert.notEqual(phase, "completed", "the terminal came after the meeting");
    const second = await openPage(context, first.page.url());
    await Promise.all([waitForResult(first.page), waitForResult(second.page)]);
    assert.deepEqual(await stageStates(second.page), await stageStates(first.page));
    const table = (page) => page.$eval("[data-result] table", (one) => one.textContent);
    assert.equal(await table(second.page), await table(first.page));
    const shown = async (page) => {
      const figures = await strip(page);
      return { offset: Number(figures.offset), events: accountedFor(figures) };
    };
    await terminal.waitForOffset((await shown(first.page)).offset);
    assert.equal(await terminal.interrupt(), 0, "Ctrl-C is a good end");
    const figures = {
      first: await shown(first.page),
      second: await shown(second.page),
      terminal: terminal.figures(),
    };
    assert.deepEqual(figures.second, figures.first);
    assert.deepEqual(figures.terminal, figures.first);
    return { second, figures };
  });

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
  console.log(figures, await second.page.evaluate(() => window.uploadSteps));
  assert.deepEqual([...first.errors, ...second.errors], []);
});
