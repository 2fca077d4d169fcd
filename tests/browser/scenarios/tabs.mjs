// Real tabs of one browser on HTTP/1.1: one connection, handed over when the leader closes, freezes or crashes.
import assert from "node:assert/strict";
import { withPuppeteer } from "./support.mjs";
import { has, openTab, publish, streams, texts, until, when, withPage } from "./tab_page.mjs";

const TABS = 8;

const role = (page) => page.evaluate(() => window.tab.role());
const rolesOf = (pages) => Promise.all(pages.map(role));

/**
 * The leader among pages that answer, once the others follow it. On a busy machine a tab may take the lead from one that
 * is slow to answer, so that is waited for.
 */
async function leaderOf(pages) {
  let leader;
  await until(async () => {
    const roles = await rolesOf(pages);
    leader = pages[roles.indexOf("leader")];
    return leader && roles.filter((one) => one === "follower").length === pages.length - 1;
  });
  return leader;
}

const expected = [];
async function say(text) {
  expected.push(text);
  await publish(text);
}

/** Ends the leader, and measures how long the others were without news. */
async function handOver(pages, how, end) {
  const leader = await leaderOf(pages);
  const others = pages.filter((page) => page !== leader);
  const began = Date.now();
  await end(leader);
  await say(how);
  for (const page of others) await has(page, expected.length);
  const arrivals = await Promise.all(others.map((page) => page.evaluate(() => window.tab.arrivedAt)));
  console.log(`${how}: news in every other tab after ${Math.max(...arrivals) - began} ms`);
  for (const page of others) assert.deepEqual(await texts(page), expected);
  await until(async () => (await streams()) === 1);
  return { leader, others };
}

await withPage(async () => {
  await withPuppeteer(async (browser) => {
    const context = await browser.createBrowserContext();
    let pages = [];
    for (let index = 0; index < TABS; index += 1) pages.push(await openTab(context));
    await leaderOf(pages);
    await until(async () => (await streams()) === 1);
    await say("first");
    for (const page of pages) await has(page, 1);
    const shown = await Promise.all(pages.map((page) => page.evaluate(() => window.tab.claim("toast 1"))));
    assert.equal(shown.filter(Boolean).length, 1, "a toast is shown once");

    ({ others: pages } = await handOver(pages, "closed", (page) => page.close()));
    ({ others: pages } = await handOver(pages, "crashed", async (page) => {
      page.goto("chrome://crash").catch(() => {}); // which has no answer
    }));

    // Frozen, it gives the lead up first; a browser that freezes it without a word is tried in the tests of the client.
    const frozen = await leaderOf(pages);
    const control = await frozen.createCDPSession();
    const next = pages.filter((page) => page !== frozen);
    await next[0].bringToFront();
    await control.send("Page.setWebLifecycleState", { state: "frozen" });
    await say("frozen");
    for (const page of next) await has(page, expected.length);
    await leaderOf(next);
    await control.send("Page.setWebLifecycleState", { state: "active" });
    await has(frozen, expected.length);
    for (const page of pages) assert.deepEqual(await texts(page), expected);
    await until(async () => (await streams()) === 1);

    // Another user of the same browser has a connection of another one's.
    const bob = await openTab(context, "bob");
    await when(bob, () => window.tab.role() === "leader");
    await until(async () => (await streams()) === 2);

    await pages[0].evaluate(() => void window.tab.client.signOut());
    for (const page of pages) await when(page, () => window.tab.signedOut);
    await until(async () => (await streams()) === 1);
    await when(bob, () => window.tab.phase() === "live" && window.tab.role() === "leader");
  });
});
