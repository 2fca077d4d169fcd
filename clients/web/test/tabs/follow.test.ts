import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { RealtimeClientOptions } from "../../src/client.js";
import { Code } from "../../src/gen/google/rpc/code_pb.js";
import { ErrorReason } from "../../src/gen/shipspeak/realtime/v1/error_reason_pb.js";
import { collect, content, FAST, hub, hubForEachTest, TOPIC, url } from "../support/rig.js";
import { newBrowser } from "../support/tab.js";
import { until } from "../support/until.js";

hubForEachTest();

let browser: ReturnType<typeof newBrowser>;
beforeEach(() => {
  browser = newBrowser(url);
});
afterEach(() => browser.closeAll());

/** A tab that reads the topic from its beginning, and is connecting. */
function begin(options: Partial<RealtimeClientOptions> = {}) {
  const opened = browser.open(options);
  const read = collect(opened.client);
  opened.client.connect();
  const phase = (wanted: string) => until(opened.client.connection, (now) => now.phase === wanted);
  const role = (wanted: string) => until(opened.client.tabs, (now) => now.role === wanted);
  return { ...opened, read, role, phase, steps: () => opened.client.connection.getSnapshot().steps };
}

async function leaderAndFollower(options: Partial<RealtimeClientOptions> = {}) {
  const leader = begin();
  await leader.phase("live");
  const follower = begin(options);
  await follower.phase("live");
  return { leader, follower };
}

/** Takes the topic from every session that there is now, as when a right is taken back. */
function refuseTopic(): void {
  const value = { topic: TOPIC, code: Code.PERMISSION_DENIED, reason: ErrorReason.RIGHT_MISSING };
  hub.pushAll({ control: { case: "error", value } });
  for (const { topics } of hub.listeners.values()) topics.delete(TOPIC);
}

describe("D5: a follower that its leader does not serve", () => {
  test("goes on with a topic that only its leader was refused", async () => {
    const { leader, follower } = await leaderAndFollower();
    hub.publish(TOPIC, content("a"));
    for (const { read } of [leader, follower]) await read.has(1);
    const polls = hub.calls.filter((name) => name === "Poll").length;
    refuseTopic();
    await vi.waitUntil(() => leader.read.errors.length === 1);
    // It has asked the hub itself, and may read on.
    await vi.waitUntil(() => hub.calls.filter((name) => name === "Poll").length > polls);
    hub.publish(TOPIC, content("b"));
    await follower.read.has(2);
    hub.publish(TOPIC, content("c"));
    await follower.read.has(3);
    expect(follower.read.texts).toEqual(["a", "b", "c"]);
    expect(follower.read.errors).toEqual([]);
    expect(leader.read.texts).toEqual(["a"]);
  });

  test("goes on as soon as it leads itself", async () => {
    const { leader, follower } = await leaderAndFollower();
    refuseTopic();
    await vi.waitUntil(() => leader.read.errors.length === 1);
    leader.client.close();
    await follower.role("leader");
    hub.publish(TOPIC, content("a"));
    await follower.read.has(1);
    expect(follower.read.texts).toEqual(["a"]);
  });
});

describe("D5: what becomes of the leader's connection says nothing of a follower's rung", () => {
  test("a leader that is slow to connect", async () => {
    hub.listenMode = "swallow";
    const leader = begin();
    await leader.role("leader");
    const follower = begin({ timing: { ...FAST, parallelPollMs: 10, welcomeMs: 20 } });
    await follower.role("follower");
    await new Promise<void>((resolve) => follower.tab.environment.schedule(resolve, 300));
    hub.listenMode = "serve";
    await hub.kill();
    await hub.start();
    await follower.phase("live");
    expect(follower.steps()).toEqual([]);
  });

  test("a leader that loses its connection again and again", async () => {
    const { leader, follower } = await leaderAndFollower();
    follower.tab.graceMs = 1;
    for (let times = 0; times < 3; times += 1) {
      hub.cutStreams();
      await until(follower.client.connection, ({ phase }) => phase !== "live");
      for (const { phase } of [leader, follower]) await phase("live");
    }
    expect(follower.steps()).toEqual([]);
  });

  test("a leader that goes away before it has a connection", async () => {
    await hub.kill();
    const leader = begin();
    await leader.role("leader");
    const follower = begin();
    await follower.role("follower");
    leader.client.close();
    await hub.start();
    await follower.phase("live");
    expect(follower.client.tabs.getSnapshot().role).toBe("leader");
  });
});

describe("D2, D5: whatever the rung", () => {
  test("a tab that would poll alone follows, and is told at once when the leader's connection is gone", async () => {
    const timing = { ...FAST, pollWaitMs: 600_000 };
    const { leader, follower } = await leaderAndFollower({ ladder: ["longpoll", "poll"], timing });
    hub.publish(TOPIC, content("a"));
    await follower.read.has(1);
    expect(hub.streams).toBe(1);
    follower.tab.graceMs = 1;
    await hub.kill();
    await until(follower.client.connection, ({ phase }) => phase !== "live");
    await hub.start();
    await follower.phase("live");
    leader.client.close();
    await follower.role("leader");
    hub.publish(TOPIC, content("b"));
    await follower.read.has(2);
    expect(follower.read.texts).toEqual(["a", "b"]);
  });

  test("signing out reaches tabs that poll", async () => {
    const told: string[] = [];
    const [one, two] = ["one", "two"].map((name) =>
      begin({ ladder: ["poll"], onSignOut: () => told.push(name) }),
    ) as [ReturnType<typeof begin>, ReturnType<typeof begin>];
    for (const { phase } of [one, two]) await phase("live");
    await one.client.signOut();
    await two.phase("idle");
    await vi.waitUntil(() => told.length === 2);
  });

  test("G1r: the leader goes down the whole ladder, and serves the others from a WebSocket too", async () => {
    hub.listenMode = "refuse";
    hub.socketMode = "serve";
    const { leader, follower } = await leaderAndFollower();
    expect(leader.client.connection.getSnapshot()).toMatchObject({ transport: "websocket", quality: "good" });
    expect(hub.calls.filter((name) => name === "Connect")).toHaveLength(1);
    hub.publish(TOPIC, content("a"));
    for (const { read } of [leader, follower]) await read.has(1);
    follower.client.setPresence(TOPIC, "active");
    await vi.waitUntil(() => hub.present.at(-1)?.state === 2);
    leader.client.close();
    await follower.role("leader");
    await follower.phase("live");
    hub.publish(TOPIC, content("b"));
    await follower.read.has(2);
    expect(follower.read.texts).toEqual(["a", "b"]);
    expect(hub.streams).toBe(1);
  });

  test("G6r: a follower shows how news come to its leader", async () => {
    hub.listenMode = "refuse";
    const { leader, follower } = await leaderAndFollower();
    expect(leader.client.connection.getSnapshot()).toMatchObject({
      transport: "longpoll",
      quality: "degraded",
    });
    expect(follower.client.connection.getSnapshot()).toMatchObject({
      transport: "longpoll",
      quality: "degraded",
    });
    hub.publish(TOPIC, content("a"));
    for (const { read } of [leader, follower]) await read.has(1);
    hub.listenMode = "serve";
    await until(leader.client.connection, ({ transport }) => transport === "stream");
    await until(follower.client.connection, ({ transport }) => transport === "stream");
    expect(follower.steps()).toEqual([]);
    hub.publish(TOPIC, content("b"));
    for (const { read } of [leader, follower]) await read.has(2);
    for (const { read } of [leader, follower]) expect(read.texts).toEqual(["a", "b"]);
  });
});
