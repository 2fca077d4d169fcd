// What is published offline is kept, survives a reload and the end of its tab, and lands exactly once, in order.
import assert from "node:assert/strict";
import { withBrowser } from "./support.mjs";
import { HUB, has, openTab, publish, start, texts, until, when, withPage } from "./tab_page.mjs";

const QUEUED = 20;
const numbers = (from, count) => Array.from({ length: count }, (_, index) => String(from + index));

async function queue(page, all) {
  for (const text of all) await page.evaluate((one) => window.tab.queue(one), text);
}

/** Keeps the sum of the topic's numbers in the browser. */
async function keep(page) {
  await page.evaluate(() => {
    window.kept = window.tab.sum("meeting/1");
  });
}

const sent = (page) => when(page, () => window.tab.waiting() === 0);

await withPage(() =>
  withBrowser(async (browser) => {
    const context = await browser.newContext();
    const reader = await openTab(await browser.newContext(), "reader");
    const expected = [];
    const landed = async () => {
      await has(reader, expected.length);
      assert.deepEqual(await texts(reader), expected);
    };

    // Offline, as the browser knows it.
    const page = await openTab(context);
    await context.setOffline(true);
    await queue(page, numbers(0, QUEUED));
    await when(page, (count) => window.tab.waiting() === count, QUEUED);
    await when(page, () => window.tab.phase() !== "live");
    await context.setOffline(false);
    expected.push(...numbers(0, QUEUED));
    await sent(page);
    await landed();

    // The hub is out of reach, and the browser believes that it is online; the page is loaded again in the middle.
    const unreachable = (url) => url.href.startsWith(HUB);
    await keep(page);
    await when(page, (sum) => window.kept.value() === sum, (QUEUED * (QUEUED - 1)) / 2);
    await context.route(unreachable, (route) => route.abort());
    await queue(page, numbers(20, 5));
    await start(page, "ann");
    await queue(page, numbers(25, 5));
    await when(page, () => window.tab.waiting() === 10);

    // Another user sends nothing of it, even in the same browser.
    await page.close(); // before the hub can be reached: it would send them itself
    await context.unroute(unreachable);
    const bob = await openTab(context, "bob", { topic: "meeting/2" });
    await queue(bob, ["of bob"]);
    await sent(bob);
    await landed();

    // Another tab of the same user sends what the first one has left behind.
    const heir = await openTab(context);
    expected.push(...numbers(20, 10));
    await when(heir, () => window.tab.client.outbox.getSnapshot().persistent === true);
    await sent(heir);
    await landed();

    // State that was kept is there before the hub is, and goes on from its place.
    await keep(heir);
    await when(heir, () => window.kept.status() === "live" && window.kept.value() === 435);
    await until(async () => (await heir.evaluate(() => window.kept.stored())) === 435);
    await context.route(unreachable, (route) => route.abort());
    await start(heir, "ann");
    await keep(heir);
    await when(heir, () => window.kept.status() === "stale" && window.kept.value() === 435);
    await context.unroute(unreachable);
    await publish("5");
    await when(heir, () => window.kept.status() === "live" && window.kept.value() === 440);
  }),
);
