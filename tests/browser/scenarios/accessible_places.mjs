// axe-core judges the other places of the product, wide and as on a telephone; each is reached by keyboard.
import assert from "node:assert/strict";
import { AXE, goTo, openPage, openPanel, PAGE, withBrowser } from "./support.mjs";
import { judge } from "./judge.mjs";

/** Judged as on a telephone, too; nothing may stick out sideways. */
async function judgeNarrow(page, state) {
  const size = page.viewportSize();
  await page.setViewportSize({ width: 360, height: 740 });
  await judge(page, `${state}, narrow`, ["dark"]);
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(beyond <= 0, `${state}: ${beyond} px stick out`);
  await page.setViewportSize(size);
}

await withBrowser(async (browser) => {
  // The page's own policy forbids foreign scripts; axe-core is one.
  const context = await browser.newContext({ bypassCSP: true });
  const way = await context.newPage();
  await way.goto(PAGE);
  await way.addScriptTag({ path: AXE });
  await way.waitForSelector("[data-person]");
  await judge(way, "sign-in");
  await way.close();

  const { page } = await openPage(context, undefined, "dev");
  await page.addScriptTag({ path: AXE });
  await goTo(page, "practice");
  await page.waitForSelector(".progress-card");
  await judge(page, "practice");
  await page.focus("[data-start-practice]");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".speech-box:not([disabled])");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main", "another place is read from its top");
  await page.fill(".speech-box", "We ship on Monday and tell everybody what has changed since. ".repeat(6));
  await page.waitForSelector(".rt-ring-value");
  await page.waitForSelector(".untimed");
  await judge(page, "room");
  await judgeNarrow(page, "room");
  await goTo(page, "notifications");
  await page.waitForSelector(".rt-notice");
  await openPanel(page);
  await judge(page, "notifications");
  await judgeNarrow(page, "notifications");
});
