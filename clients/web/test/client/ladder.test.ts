import { describe, expect, test, vi } from "vitest";
import { collect, content, environment, FAST, hub, hubForEachTest, open, TOPIC } from "../support/rig.js";
import { until } from "../support/until.js";

hubForEachTest();

/** No probe because of a slow machine. */
const PATIENT = { ...FAST, probeMinMs: 60_000 };

/** However slow the machine, what follows happens at one moment. */
function stopClock(): void {
  const now = Date.now();
  environment.now = () => now;
}

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
    expect(client.connection.getSnapshot().counters).toMatchObject({ stepDowns: 2, stepUps: 1, gaps: 0 });
  });

  test("a stream that is swallowed on the way means polling, and the first news come before the verdict", async () => {
    hub.listenMode = "swallow";
    hub.publish(TOPIC, content("a"));
    const client = open({ timing: { ...FAST, parallelPollMs: 30, welcomeMs: 400 } });
    const read = collect(client);
    client.connect();
    await read.has(1);
    expect(client.connection.getSnapshot().phase).toBe("connecting");
    const state = await until(client.connection, (now) => now.phase === "live");
    expect(state.transport).toBe("longpoll");
    expect(read.texts).toEqual(["a"]);
  });

  test("G1r, G2r: waits that are cut mean polling at intervals, and long polls again when they last", async () => {
    hub.listenMode = "refuse";
    hub.cutWaitsAfterMs = 20;
    const client = open({ ladder: ["longpoll", "poll"], timing: { ...FAST, pollWaitMs: 200 } });
    const read = collect(client);
    client.connect();
    await until(client.connection, (now) => now.transport === "poll");
    hub.publish(TOPIC, content("a"));
    await read.has(1);
    hub.cutWaitsAfterMs = Number.POSITIVE_INFINITY;
    await until(client.connection, (now) => now.transport === "longpoll");
    hub.publish(TOPIC, content("b"));
    await read.has(2);
    expect(read.texts).toEqual(["a", "b"]);
    expect(client.connection.getSnapshot().steps.map(({ to, reason }) => `${to}: ${reason}`)).toEqual([
      "poll: cut",
      "longpoll: probed",
    ]);
  });

  test("the good rung is remembered for the next page, until the best one is back", async () => {
    hub.listenMode = "refuse";
    const timing = { ...FAST, settledMs: 20, probeMinMs: 60_000 };
    const first = open({ timing });
    collect(first);
    first.connect();
    await until(first.connection, (now) => now.transport === "longpoll");
    await vi.waitUntil(() => environment.kept.size === 1);
    first.close();
    const tries = hub.calls.filter((name) => name === "Listen").length;
    const second = open({ timing });
    collect(second);
    second.connect();
    await until(second.connection, (now) => now.phase === "live");
    expect(second.connection.getSnapshot()).toMatchObject({ transport: "longpoll", steps: [] });
    expect(hub.calls.filter((name) => name === "Listen")).toHaveLength(tries);
    hub.listenMode = "serve";
    environment.wake("online");
    await until(second.connection, (now) => now.transport === "stream");
    await vi.waitUntil(() => environment.kept.size === 0);
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

describe("F5 to F7: a page that goes and comes back", () => {
  test.each(["frozen", "leaving"] as const)(
    "%s, it holds no connection, and goes on where it was",
    async (reason) => {
      const client = open({ timing: PATIENT });
      const read = collect(client);
      client.connect();
      await until(client.connection, (now) => now.phase === "live");
      environment.sleep(reason);
      expect(client.connection.getSnapshot()).toMatchObject({
        phase: "suspended",
        transport: null,
        lostSince: null,
      });
      await vi.waitUntil(() => hub.streams === 0);
      hub.publish(TOPIC, content("a"));
      environment.wake("online");
      expect(client.connection.getSnapshot().phase).toBe("suspended");
      environment.wake(reason === "frozen" ? "resumed" : "restored");
      await read.has(1);
      expect(read.texts).toEqual(["a"]);
      expect(client.connection.getSnapshot().counters).toMatchObject({ stepDowns: 0, duplicates: 0 });
    },
  );

  test("streams that are cut while it hides lead to no other rung", async () => {
    stopClock();
    const client = open({ timing: PATIENT });
    collect(client);
    client.connect();
    for (let time = 0; time < 4; time += 1) {
      await until(client.connection, (now) => now.phase === "live");
      environment.sleep("hidden");
      hub.cutStreams();
      await until(client.connection, (now) => now.phase !== "live");
      environment.wake("visible");
    }
    await until(client.connection, (now) => now.phase === "live");
    expect(client.connection.getSnapshot()).toMatchObject({ transport: "stream", attempt: 0, steps: [] });
  });

  test("streams that are cut again and again while it is seen do", async () => {
    stopClock();
    const client = open({ timing: PATIENT });
    const read = collect(client);
    client.connect();
    for (let time = 0; time < 3; time += 1) {
      await until(client.connection, (now) => now.transport === "stream");
      hub.cutStreams();
      await until(client.connection, (now) => now.transport !== "stream");
    }
    await until(client.connection, (now) => now.phase === "live");
    expect(client.connection.getSnapshot().steps[0]).toMatchObject({ from: "stream", reason: "cut" });
    hub.publish(TOPIC, content("a"));
    await read.has(1);
  });
});

describe("D4: the token of a running session", () => {
  test("is replaced at 80 % of its life, once, whoever asks meanwhile", async () => {
    let made = 0;
    const client = open({
      timing: PATIENT,
      getToken: () => {
        made += 1;
        const now = environment.now() / 1000;
        // The first one is past 80 % of its life as soon as it is there.
        return `h.${btoa(JSON.stringify({ iat: now - 900, exp: now + (made === 1 ? 100 : 9000), made }))}.s`;
      },
    });
    collect(client);
    client.connect();
    await vi.waitUntil(() => hub.refreshed.length === 1);
    environment.wake("visible");
    environment.wake("visible");
    await until(client.connection, (now) => now.phase === "live");
    expect(made).toBe(2);
    expect(hub.calls.filter((name) => name === "Listen")).toHaveLength(1);
  });
});
