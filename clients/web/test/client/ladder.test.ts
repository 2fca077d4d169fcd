import { describe, expect, test, vi } from "vitest";
import { collect, content, environment, FAST, hub, hubForEachTest, open, TOPIC } from "../support/rig.js";
import { until } from "../support/until.js";

hubForEachTest();

describe("the ladder", () => {
  test("a refused stream means polling at once, and the stream again when it is there", async () => {
    hub.listenMode = "refuse";
    const client = open();
    const read = collect(client);
    client.connect();
    const polling = await until(client.connection, (now) => now.phase === "live");
    expect(polling).toMatchObject({ transport: "longpoll", quality: "degraded" });
    hub.publish(TOPIC, content("a"));
    await read.has(1);
    hub.listenMode = "serve";
    await until(client.connection, (now) => now.transport === "stream");
    hub.publish(TOPIC, content("b"));
    await read.has(2);
    expect(read.texts).toEqual(["a", "b"]);
    expect(client.connection.getSnapshot().counters).toMatchObject({ stepDowns: 1, stepUps: 1, gaps: 0 });
  });

  test("a stream that is swallowed on the way means polling, and the first news come before the verdict", async () => {
    hub.listenMode = "swallow";
    hub.publish(TOPIC, content("a"));
    const client = open({ timing: { ...FAST, welcomeMs: 400 } });
    const read = collect(client);
    client.connect();
    await read.has(1);
    expect(client.connection.getSnapshot().phase).toBe("connecting");
    const state = await until(client.connection, (now) => now.phase === "live");
    expect(state.transport).toBe("longpoll");
    expect(read.texts).toEqual(["a"]);
  });

  test("a hub that is down is no reason to poll", async () => {
    const client = open();
    collect(client);
    await hub.kill();
    client.connect();
    await until(client.connection, (now) => now.attempt >= 3);
    expect(client.connection.getSnapshot().counters.stepDowns).toBe(0);
    await hub.start();
    const state = await until(client.connection, (now) => now.phase === "live");
    expect(state.transport).toBe("stream");
  });

  test("polling without topics notices all the same that the hub is gone", async () => {
    hub.listenMode = "refuse";
    const client = open({ timing: { ...FAST, pollWaitMs: 20 } });
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    await hub.kill();
    await until(client.connection, (now) => now.phase === "backoff");
  });

  test("polling without topics asks the hub's health, and believes it", async () => {
    hub.listenMode = "refuse";
    const client = open({ timing: { ...FAST, pollWaitMs: 20 } });
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    expect(hub.calls).toContain("Check");
    expect(hub.calls).not.toContain("Touch");
    hub.serving = false;
    const lost = await until(client.connection, (now) => now.phase === "backoff");
    expect(lost.error?.kind).toBe("network");
    hub.serving = true;
    await until(client.connection, (now) => now.phase === "live");
  });

  test("a probe that the hub sends away does not stand in the way of the next one", async () => {
    hub.listenMode = "refuse";
    const client = open({ timing: { ...FAST, probeMinMs: 60_000 } });
    collect(client);
    client.connect();
    await until(client.connection, (now) => now.transport === "longpoll");
    hub.listenMode = "serve";
    hub.sendsAway = true;
    environment.wake("online");
    await vi.waitUntil(() => hub.wentAway === 1);
    hub.sendsAway = false;
    environment.wake("online");
    await until(client.connection, (now) => now.transport === "stream");
    expect(hub.calls.filter((name) => name === "Listen")).toHaveLength(3);
  });

  test("a topic that is subscribed while polling is polled at once", async () => {
    hub.listenMode = "refuse";
    const client = open({ timing: { ...FAST, pollWaitMs: 60_000 } });
    collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    hub.publish("meeting/7", content("a"));
    const read = collect(client, "meeting/7");
    await read.has(1);
    expect(read.texts).toEqual(["a"]);
  });
});

describe("waking", () => {
  test("H1: coming online ends the wait", async () => {
    environment.isOnline = false;
    const client = open();
    collect(client);
    await hub.kill();
    client.connect();
    await until(client.connection, (now) => now.phase === "offline");
    await hub.start();
    environment.isOnline = true;
    environment.wake("online");
    await until(client.connection, (now) => now.phase === "live");
  });

  test("a page out of the back/forward cache connects anew", async () => {
    const client = open();
    collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    environment.wake("restored");
    expect(client.connection.getSnapshot().phase).not.toBe("live");
    await until(client.connection, (now) => now.phase === "live");
    expect(hub.calls.filter((name) => name === "Listen")).toHaveLength(2);
  });
});
