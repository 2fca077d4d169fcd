// A practice session whole, in two tabs: typed, hinted, scored, celebrated once, ended, and counted.
import assert from "node:assert/strict";
import { goTo, openPage, until, withBrowser } from "./support.mjs";

const CLEAN = "We ship on Monday and tell everybody what has changed since. ".repeat(6);
const TYPED = "Um, so um, ";
const HINT_MS = 8000;

/** Types until a hint is on the screen: one that the hub does not take within five seconds is given up. */
async function typeUntilHinted(page) {
  for (;;) {
    await page.locator(".speech-box").pressSequentially(TYPED, { delay: 15 });
    const hinted = page.waitForSelector(".rt-hint, .rt-text-line", { timeout: HINT_MS });
    if (await hinted.then(() => true, () => false)) return;
  }
}

const ended = (page) => page.waitForSelector('.room[data-phase="ended"] .rt-practice[data-phase="ended"]');
const summary = (page) => page.$$eval(".rt-practice .rt-figure", (all) => all.map((one) => one.textContent));
const celebrated = async (pages) => (await Promise.all(pages.map((page) => page.evaluate(() => window.celebrated)))).flat();

await withBrowser(async (browser) => {
  const context = await browser.newContext();
  const { page, errors } = await openPage(context);
  await goTo(page, "practice");
  await page.click("[data-start-practice]");
  await page.waitForSelector(".speech-box:not([disabled])");
  const address = page.url();
  assert.match(address, /#\/practice\/[0-9a-f]+$/);
  const second = await openPage(context, address);
  await second.page.waitForSelector(".speech-box:not([disabled])");
  await page.bringToFront();

  await typeUntilHinted(page);
  const box = page.locator(".speech-box");
  await box.fill(`${await box.inputValue()}. ${CLEAN}`);
  await page.waitForSelector(".rt-dimension:has-text('Fluency')");
  assert.equal(await page.$(".rt-dimension:has-text('Pace')"), null, "a pace of pasted words that nobody told");
  await page.fill(".untimed input", "30");
  await page.waitForSelector(".rt-dimension:has-text('Pace')");

  // Each milestone is celebrated in one of the tabs, whichever it is.
  const pages = [page, second.page];
  const goals = ["clean-fifty", "fifty-words"];
  await until(async () => {
    const seen = await celebrated(pages);
    return goals.every((goal) => seen.includes(goal));
  });

  await page.click("[data-finish]");
  await Promise.all(pages.map(ended));
  const figures = await summary(page);
  assert.deepEqual(await summary(second.page), figures);
  const said = await page.textContent(".said");
  await second.page.waitForFunction((text) => document.querySelector(".said")?.textContent === text, said);
  const before = await celebrated(pages);
  assert.equal(new Set(before).size, before.length, `celebrated twice: ${before}`);

  await page.reload();
  await ended(page);
  assert.deepEqual(await summary(page), figures);
  assert.deepEqual(await page.evaluate(() => window.celebrated), [], "celebrated again after a reload");

  // Who comes late has the progress at once.
  const late = await openPage(context, address);
  await goTo(late.page, "practice");
  await late.page.waitForSelector('.progress-card [data-streak="1"]');
  await late.page.waitForSelector(".session-score");
  assert.deepEqual([...errors, ...second.errors, ...late.errors], []);
  console.log({ figures, before });
});
