// Two people in two browsers: each sees the other, and what was told to one is the same in all tabs of that one.
import assert from "node:assert/strict";
import { goTo, openPage, startSample, withBrowser } from "./support.mjs";

const READY = "Weekly review is ready";
const NEWS = "Sessions can be shared";
const notice = (title) => `.centre .rt-notice:has-text("${title}")`;
const gone = (page, selector) => page.waitForSelector(selector, { state: "detached" });

await withBrowser(async (browser) => {
  const [adas, bens] = await Promise.all([browser.newContext(), browser.newContext()]);
  const ada = await openPage(adas, undefined, "ada");
  const ben = await openPage(bens, undefined, "ben");
  await Promise.all([ada.page.waitForSelector("[data-here='ben']"), ben.page.waitForSelector("[data-here='ada']")]);

  // A meeting of one is in the list of all, and its end waits for the one who started it.
  await startSample(ada.page, "weekly-review.vtt");
  const id = ada.page.url().split("/").at(-1);
  await goTo(ada.page, "notifications");
  await ben.page.waitForSelector(`[data-row="${id}"] .meetings-bar`);
  await ben.page.waitForSelector(`[data-row="${id}"] [data-status="completed"]`);
  await ada.page.waitForSelector(notice(READY));
  await ada.page.reload();
  await ada.page.waitForSelector(notice(READY));
  const adaToo = await openPage(adas, ada.page.url());
  await adaToo.page.click(`${notice(READY)} a`);
  await adaToo.page.waitForSelector("[data-result] table");
  await gone(ada.page, notice(READY));

  // What is told to all is read and put away by each person alone, in all tabs.
  await ada.page.fill(".desk input[name='title']", NEWS);
  await ada.page.click("[data-announce]");
  await goTo(ben.page, "notifications");
  const benToo = await openPage(bens, ben.page.url(), "ben");
  for (const { page } of [ada, ben, benToo]) await page.waitForSelector(`${notice(NEWS)}[data-read="false"]`);
  await ben.page.click(".centre .rt-link-button");
  await benToo.page.waitForSelector(`${notice(NEWS)}[data-read="true"]`);
  await benToo.page.waitForSelector(".rt-bell[aria-label*='No unread']");
  assert.equal(await ada.page.getAttribute(notice(NEWS), "data-read"), "false", "read by ben, and so by ada");
  await ben.page.click(`${notice(NEWS)} .rt-icon-button`);
  await gone(benToo.page, notice(NEWS));
  assert.notEqual(await ada.page.$(notice(NEWS)), null, "put away by ben, and so by ada");

  await ada.page.click("[data-me]");
  await ada.page.click("[data-sign-out]");
  await adaToo.page.waitForSelector(".sign-in");
  await gone(ben.page, "[data-here='ada']");
  assert.deepEqual([ada, adaToo, ben, benToo].flatMap(({ errors }) => errors), []);
});
