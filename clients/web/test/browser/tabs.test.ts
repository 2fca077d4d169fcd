import { expect, onTestFinished, test } from "vitest";
import type { Tab } from "../pages/tab.js";
import { realHub } from "../support/real-hub.js";

/** Frames of this page: each a realm of its own, with the browser's real locks, channels and storage in common. */
async function openFrame(hub: string, identity: string, topic = "meeting/1") {
  const frame = document.createElement("iframe");
  const script = new URL("../pages/tab.ts", import.meta.url).href;
  // The test server wraps dynamic imports for its own page, which a frame is not.
  const plain = "window.__vitest_browser_runner__ = { wrapDynamicImport: (load) => load() }";
  frame.srcdoc = `<!doctype html><script>${plain}</script><script type="module" src="${script}"></script>`;
  document.body.append(frame);
  const close = () => frame.remove();
  onTestFinished(close);
  const here = () => frame.contentWindow as (Window & typeof globalThis) | null;
  await until(() => typeof here()?.startTab === "function");
  const tab = here()?.startTab({ hub, identity, topic }) as Tab;
  return { tab, close };
}

async function until(test: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await test())) await new Promise((resolve) => setTimeout(resolve, 20));
}

const live = (tab: Tab) => until(() => tab.phase() === "live");
const news = (text: string) => ({
  attributes: { text },
  meeting: { attempt: 1, upload: { sentBytes: "1" } },
});
let users = 0;
const newUser = () => {
  users += 1;
  return `user ${users} of ${crypto.randomUUID()}`;
};

test("D2, D5, K2: eight frames share one connection, and the next one takes it over", async () => {
  const hub = await realHub({ options: ["--heartbeat", "1"] });
  const identity = newUser();
  const frames = [];
  for (let index = 0; index < 8; index += 1) {
    const frame = await openFrame(hub.baseUrl, identity);
    await live(frame.tab);
    frames.push(frame);
  }
  expect(frames.filter(({ tab }) => tab.role() === "leader")).toHaveLength(1);
  const claims = await Promise.all(frames.map(({ tab }) => tab.claim("toast")));
  expect(claims.filter(Boolean)).toHaveLength(1);
  await hub.publish("meeting/1", news("a"));
  for (const { tab } of frames) await until(() => tab.texts.length === 1);
  const leader = frames.findIndex(({ tab }) => tab.role() === "leader");
  const [gone] = frames.splice(leader, 1);
  gone?.close();
  await hub.publish("meeting/1", news("b"));
  for (const { tab } of frames) await until(() => tab.texts.length >= 2);
  for (const { tab } of frames) expect([...tab.texts]).toEqual(["a", "b"]);
  expect(frames.filter(({ tab }) => tab.role() === "leader")).toHaveLength(1);
  await frames[0]?.tab.client.signOut();
  for (const { tab } of frames) await until(() => tab.signedOut);
});

test("H2: what a frame has queued while the hub was away is sent by the next one, once and in order", async () => {
  const hub = await realHub({ options: ["--heartbeat", "1"] });
  const identity = newUser();
  const first = await openFrame(hub.baseUrl, identity);
  await live(first.tab);
  await hub.kill();
  for (let index = 0; index < 20; index += 1) await first.tab.queue(String(index));
  await until(() => first.tab.waiting() === 20);
  expect(first.tab.client.outbox.getSnapshot().persistent).toBe(true);
  first.close();
  await hub.restart();
  const second = await openFrame(hub.baseUrl, identity);
  await until(() => second.tab.texts.length >= 20);
  expect([...second.tab.texts]).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
});

test("H2: state that was kept with its place is there before the hub is, and goes on from there", async () => {
  const hub = await realHub({ options: ["--heartbeat", "1"] });
  const identity = newUser();
  const first = await openFrame(hub.baseUrl, identity);
  const before = first.tab.sum("meeting/1");
  await live(first.tab);
  for (const text of ["1", "2", "3"]) await hub.publish("meeting/1", news(text));
  await until(async () => (await before.stored()) === 6);
  first.close();
  await hub.kill();
  const second = await openFrame(hub.baseUrl, identity);
  const after = second.tab.sum("meeting/1");
  await until(() => after.status() === "stale");
  expect(after.value()).toBe(6);
  await hub.restart();
  await hub.publish("meeting/1", news("4"));
  await until(() => after.value() === 10 && after.status() === "live");
});

test("another user's tab in the same browser leads a connection of its own", async () => {
  const hub = await realHub();
  for (const user of [newUser(), newUser()]) {
    const { tab } = await openFrame(hub.baseUrl, user);
    await live(tab);
    expect(tab.role()).toBe("leader");
  }
});
