// A meeting is started and read by keyboard alone; axe-core judges each state in both colour schemes.
import assert from "node:assert/strict";
import { judge } from "./judge.mjs";
import { AXE, openPage, waitForResult, withBrowser } from "./support.mjs";

/** Presses Tab until the focused element matches. */
async function tabTo(page, selector) {
  for (let presses = 0; presses < 30; presses += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
  }
  assert.fail(`${selector} cannot be reached by Tab`);
}

await withBrowser(async (browser) => {
  // The page's own policy forbids foreign scripts; axe-core is one.
  const { page } = await openPage(await browser.newContext({ bypassCSP: true }));
  await page.addScriptTag({ path: AXE });
  await page.waitForSelector("[data-sample]");
  await judge(page, "start");
  await tabTo(page, '[data-sample="weekly-review.vtt"]');
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-stage="parse"]');
  const bar = await page.getAttribute(".rt-bar", "aria-valuetext");
  assert.match(bar, /%/);
  await waitForResult(page);
  await judge(page, "result");
  await tabTo(page, ".transcript summary");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".transcript mark");
});
