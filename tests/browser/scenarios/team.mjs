// Two people in two browsers: each sees the other, and what was told to one is the same in all tabs of that one.
import assert from "node:assert/strict";
import { goTo, openPage, PAGE, withBrowser } from "./support.mjs";

const READY = "Weekly review is ready";
const NEWS = "Sessions can be shared";
const notice = (title) => `.centre .rt-notice:has-text("${title}")`;
const gone = (page, selector) => page.waitForSelector(selector, { state: "detached" });

/** Asks the back end in a person's name, as the page does. */
async function backEnd(person) {
  const { backend } = await (await fetch(new URL("demo-config.json", PAGE))).json();
  const { token } = await (await fetch(`${backend}/api/token?user=${person}`)).json();
  return async (path, method = "GET", headers = {}, body = undefined) => {
    const response = await fetch(backend + path, { method, body, headers: { authorization: `Bearer ${token}`, ...headers } });
    assert.ok(response.ok, `${path}: HTTP ${response.status}`);
    return response;
  };
}

await withBrowser(async (browser) => {
  const [adas, bens] = await Promise.all([browser.newContext(), browser.newContext()]);
  const ada = await openPage(adas, undefined, "ada");
  const ben = await openPage(bens, undefined, "ben");
  await Promise.all([ada.page.waitForSelector("[data-here='ben']"), ben.page.waitForSelector("[data-here='ada']")]);

  // A meeting of one moves in the list of all, half of its upload first; its end waits for the one who started it.
  await goTo(ada.page, "notifications");
  const ask = await backEnd("ada");
  const file = new Uint8Array(await (await ask("/api/samples/weekly-review.vtt")).arrayBuffer());
  const json = { "content-type": "application/json" };
  const about = JSON.stringify({ title: "Weekly review", filename: "weekly.vtt", size: file.length });
  const { id, upload_url: upload } = await (await ask("/api/meetings", "POST", json, about)).json();
  const half = Math.floor(file.length / 2);
  const chunk = (offset) => ({ "content-type": "application/offset+octet-stream", "upload-offset": String(offset) });
  await ask(upload, "PATCH", chunk(0), file.slice(0, half));
  await ben.page.waitForSelector(`[data-row="${id}"] .meetings-status:text-is("Uploading 7 %")`);
  await ben.page.waitForSelector(`[data-row="${id}"] .meetings-bar`);
  await ask(upload, "PATCH", chunk(half), file.slice(half));
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
