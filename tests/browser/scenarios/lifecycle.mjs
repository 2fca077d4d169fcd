// A page that is frozen, and one in the back/forward cache: each gives its connection up, and loses nothing.
import assert from "node:assert/strict";
import { withPuppeteer } from "./support.mjs";
import { has, openTab, publish, streams, texts, until, when, withPage } from "./tab_page.mjs";

const expected = [];
async function say(text) {
  expected.push(text);
  await publish(text);
}

async function landed(page) {
  await has(page, expected.length);
  assert.deepEqual(await texts(page), expected);
}

const hasRole = (page, role) => when(page, (wanted) => window.tab.role() === wanted, role);

await withPage(() =>
  withPuppeteer(async (browser) => {
    const context = await browser.createBrowserContext();
    const page = await openTab(context);
    await say("1");
    await landed(page);

    // Only a page that is covered can be frozen.
    const cover = await context.newPage();
    await cover.bringToFront();
    const control = await page.createCDPSession();
    await control.send("Page.setWebLifecycleState", { state: "frozen" });
    await until(async () => (await streams()) === 0);
    await say("2");
    await control.send("Page.setWebLifecycleState", { state: "active" });
    await landed(page);
    await control.detach();
    await cover.close();

    // It is left, with its script as it stands, and comes back; another tab leads meanwhile.
    await page.evaluate(() => {
      window.same = true;
      addEventListener("pageshow", ({ persisted }) => {
        window.cached = persisted;
      });
    });
    const other = await openTab(context);
    await hasRole(other, "follower");
    await page.bringToFront();
    await page.goto(new URL("/elsewhere", page.url()).href);
    await hasRole(other, "leader");
    await say("3");
    await landed(other);
    await page.evaluate(() => void setTimeout(() => history.back()));
    await when(page, () => window.same && window.cached === true);
    await landed(page);
    await hasRole(page, "follower");
    await say("4");
    for (const one of [page, other]) await landed(one);
    await until(async () => (await streams()) === 1);
  }),
);
