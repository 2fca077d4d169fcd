import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { RealtimeClient } from "../../src/client.js";
import { collect, content, hub, hubForEachTest, TOPIC, url } from "../support/rig.js";
import { newBrowser } from "../support/tab.js";
import { until } from "../support/until.js";

hubForEachTest();

let browser: ReturnType<typeof newBrowser>;
beforeEach(() => {
  browser = newBrowser(url);
});
afterEach(() => browser.closeAll());

const wait = (test: () => boolean) => vi.waitUntil(test);
const live = (client: RealtimeClient) => until(client.connection, (now) => now.phase === "live");
const role = (client: RealtimeClient, wanted: string) => until(client.tabs, (now) => now.role === wanted);
const listens = () => hub.calls.filter((name) => name === "Listen").length;

/** Tabs that read the topic from its beginning; the first one leads. */
async function openTabs(count: number, topics: readonly string[] = []) {
  const tabs = [];
  for (let index = 0; index < count; index += 1) {
    const opened = browser.open();
    const read = collect(opened.client, topics[index] ?? TOPIC);
    opened.client.connect();
    await live(opened.client);
    tabs.push({ ...opened, read });
  }
  return tabs as [(typeof tabs)[0], (typeof tabs)[0], (typeof tabs)[0]];
}

describe("one connection", () => {
  test("eight tabs have one stream, and each gets every event once and in order", async () => {
    hub.publish(TOPIC, content("a"));
    const tabs = await openTabs(8);
    expect(hub.streams).toBe(1);
    expect(listens()).toBe(1);
    for (const text of ["b", "c", "d"]) hub.publish(TOPIC, content(text));
    for (const { read } of tabs) await read.has(4);
    for (const { read } of tabs) expect(read.texts).toEqual(["a", "b", "c", "d"]);
    expect(tabs.map(({ client }) => client.tabs.getSnapshot().role)).toEqual([
      "leader",
      ...Array(7).fill("follower"),
    ]);
    await until(tabs[7 as 0].client.tabs, (now) => now.tabs === 8);
  });

  test("the leader reads what the others read, and no longer than they do", async () => {
    const [leader, other] = await openTabs(2, ["meeting/1", "meeting/2"]);
    hub.publish("meeting/2", content("a"));
    await other.read.has(1);
    expect(leader.client.topicState("meeting/2")).toBeDefined();
    expect(leader.client.connection.getSnapshot().counters.events).toBe(0);
    other.client.close();
    await wait(() => leader.client.topicState("meeting/2") === undefined);
    expect(leader.client.tabs.getSnapshot().tabs).toBe(1);
  });

  test("a topic that a follower reads later begins where the leader stands, without a question", async () => {
    const [, other] = await openTabs(2, ["meeting/1", "meeting/2"]);
    const texts: string[] = [];
    other.client
      .topic("meeting/1")
      .subscribe({ onEvent: (event) => texts.push(event.content?.attributes["text"] ?? "") });
    await wait(() => other.client.topicState("meeting/1")?.getSnapshot().status === "live");
    const polls = hub.calls.filter((name) => name === "Poll").length;
    hub.publish("meeting/1", content("a"));
    await wait(() => texts.length === 1);
    expect(hub.calls.filter((name) => name === "Poll")).toHaveLength(polls);
    expect(hub.streams).toBe(1);
  });

  test("without an identity, or when asked to, every tab has its own", async () => {
    for (const options of [{ tabs: "solo" as const }, { tabsHost: null }]) {
      const { client } = browser.open(options);
      client.connect();
      await live(client);
      expect(client.tabs.getSnapshot()).toEqual({ role: "solo", tabs: 1 });
    }
    expect(hub.streams).toBe(2);
  });

  test("locks that fail leave the tab alone", async () => {
    const { client, tab } = browser.open();
    Object.assign(tab, { locks: { request: () => Promise.reject(new DOMException("no", "SecurityError")) } });
    client.close();
    const again = browser.open({ tabsHost: tab });
    again.client.connect();
    await live(again.client);
    expect(again.client.tabs.getSnapshot().role).toBe("solo");
  });
});

describe("hand-over", () => {
  test("when the leader closes, another tab goes on with nothing lost and nothing twice", async () => {
    const [first, second, third] = await openTabs(3);
    hub.publish(TOPIC, content("a"));
    for (const { read } of [first, second, third]) await read.has(1);
    first.client.close();
    hub.publish(TOPIC, content("b"));
    await role(second.client, "leader");
    await second.read.has(2);
    await third.read.has(2);
    hub.publish(TOPIC, content("c"));
    for (const { read } of [second, third]) await read.has(3);
    for (const { read } of [second, third]) expect(read.texts).toEqual(["a", "b", "c"]);
    expect(third.client.tabs.getSnapshot()).toEqual({ role: "follower", tabs: 2 });
    await wait(() => hub.streams === 1);
  });

  test("a frozen leader is replaced, and is a follower when it wakes up", async () => {
    hub.heartbeatMs = 100;
    const [first, second] = await openTabs(2);
    second.tab.answerMs = 50;
    first.tab.freeze();
    await role(second.client, "leader");
    hub.publish(TOPIC, content("a"));
    await second.read.has(1);
    first.tab.thaw();
    await role(first.client, "follower");
    await first.read.has(1);
    hub.publish(TOPIC, content("b"));
    for (const { read } of [first, second]) await read.has(2);
    for (const { read } of [first, second]) expect(read.texts).toEqual(["a", "b"]);
    await wait(() => hub.streams === 1);
  });

  test("a new tab does not wait for a frozen leader", async () => {
    const [first] = await openTabs(1);
    first.tab.freeze();
    const { tab, client } = browser.open();
    tab.answerMs = 50;
    client.connect();
    await live(client);
    expect(client.tabs.getSnapshot().role).toBe("leader");
  });

  test("a page that is put away gives the lead up, and takes part again when it is back", async () => {
    const [first, second] = await openTabs(2);
    first.tab.page("left");
    await role(second.client, "leader");
    await live(second.client);
    hub.publish(TOPIC, content("a"));
    await second.read.has(1);
    first.tab.page("returned");
    await role(first.client, "follower");
    await first.read.has(1);
    expect(first.read.texts).toEqual(["a"]);
  });

  test("a hidden leader that polls yields to a tab that is seen", async () => {
    hub.listenMode = "refuse";
    const [first, second] = await openTabs(2);
    expect(first.client.connection.getSnapshot().transport).toBe("longpoll");
    second.tab.isHidden = true;
    first.tab.isHidden = true;
    first.tab.page("hidden");
    second.tab.isHidden = false;
    second.tab.page("visible");
    await role(second.client, "leader");
    await role(first.client, "follower");
    hub.publish(TOPIC, content("a"));
    for (const { read } of [first, second]) await read.has(1);
    for (const { read } of [first, second]) expect(read.texts).toEqual(["a"]);
  });
});

describe("what the leader meets, the others meet", () => {
  test("a hub that is killed and comes back", async () => {
    const [first, second] = await openTabs(2);
    second.tab.graceMs = 10;
    await hub.kill();
    await until(second.client.connection, (now) => now.phase !== "live");
    hub.publish(TOPIC, content("a"));
    await hub.start();
    for (const { client, read } of [first, second]) {
      await read.has(1);
      await live(client);
      expect(read.texts).toEqual(["a"]);
    }
    expect(hub.streams).toBe(1);
  });

  test("another epoch is a reset in every tab", async () => {
    const tabs = await openTabs(2);
    hub.publish(TOPIC, content("a"));
    for (const { read } of tabs) await read.has(1);
    hub.log.epoch = 9n;
    hub.cutStreams();
    for (const { read } of tabs) await read.has(2);
    for (const { read } of tabs) expect(read.verdicts).toContain("reset");
  });

  test("a gap in one tab is no gap in another", async () => {
    const [first, second] = await openTabs(2, ["meeting/1", TOPIC]);
    hub.publish(TOPIC, content("a"));
    await second.read.has(1);
    const late = collect(first.client);
    await late.has(1);
    expect(second.read.verdicts).not.toContain("gap");
    expect(late.texts).toEqual(["a"]);
  });

  test("a topic that is refused is refused in the tab that reads it", async () => {
    const [, second] = await openTabs(2);
    const read = collect(second.client, "x");
    await wait(() => read.errors.length === 1);
    expect(hub.streams).toBe(1);
  });
});

test("D5: a page that is put away keeps no channel open, and learns of a sign-out when it is back", async () => {
  const kept = new Map<string, string>();
  const storage = () => ({
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  });
  let told = 0;
  const one = browser.open();
  const two = browser.open({ onSignOut: () => (told += 1) });
  for (const { client, tab } of [one, two]) {
    tab.environment.storage = storage;
    client.connect();
    await live(client);
  }
  two.tab.page("left");
  expect(two.tab.channels).toBe(0);
  two.tab.page("returned");
  await role(two.client, "follower");
  expect(told).toBe(0);
  two.tab.page("left");
  await one.client.signOut();
  expect(told).toBe(0);
  two.tab.page("returned");
  await wait(() => told === 1);
  await until(two.client.connection, (now) => now.phase === "idle");
  // Told at once, it is not told again later.
  for (const { client } of [one, two]) {
    client.connect();
    await live(client);
  }
  await one.client.signOut();
  await wait(() => told === 2);
  two.tab.page("left");
  two.tab.page("returned");
  expect(told).toBe(2);
});

test("signing out ends every tab, and tells each application", async () => {
  const told: string[] = [];
  const one = browser.open({ onSignOut: () => told.push("one") });
  const two = browser.open({ onSignOut: () => told.push("two") });
  for (const { client } of [one, two]) {
    client.connect();
    await live(client);
  }
  await one.client.signOut();
  await until(two.client.connection, (now) => now.phase === "idle");
  await wait(() => told.length === 2);
  await wait(() => hub.streams === 0);
});

test("what tabs say of themselves is merged: the latest word counts, and the last one to leave leaves", async () => {
  const [first, second] = await openTabs(2);
  first.client.setPresence(TOPIC, "online");
  await wait(() => hub.present.at(-1)?.state === 1);
  second.client.setPresence(TOPIC, "active");
  await wait(() => hub.present.at(-1)?.state === 2);
  second.client.setPresence(TOPIC, null);
  await wait(() => hub.present.at(-1)?.state === 1);
  first.client.setPresence(TOPIC, null);
  await wait(() => hub.present.at(-1)?.state === 4);
  const states = hub.present.map(({ state }) => state);
  // Signs of life repeat what was said.
  expect(states.filter((state, index) => state !== states[index - 1])).toEqual([1, 2, 1, 4]);
});
