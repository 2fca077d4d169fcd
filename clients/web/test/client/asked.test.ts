import { describe, expect, test, vi } from "vitest";
import { GoAwayAction } from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";
import { toDuration } from "../../src/time.js";
import { collect, content, environment, hub, hubForEachTest, open, TOPIC } from "../support/rig.js";
import { until } from "../support/until.js";

hubForEachTest();

function listens(): number {
  return hub.calls.filter((name) => name === "Listen").length;
}

describe("what the hub asks for", () => {
  test("a session that ends soon gets a new token in place", async () => {
    const reasons: string[] = [];
    const client = open({
      getToken: ({ reason }) => {
        reasons.push(reason);
        return `t${reasons.length}`;
      },
    });
    collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live" && now.rttMs !== null);
    hub.pushAll({ control: { case: "sessionExpiring", value: {} } });
    await vi.waitUntil(() => hub.refreshed.length > 0);
    expect(hub.refreshed).toEqual(["t2"]);
    expect(reasons).toEqual(["initial", "expiring"]);
    expect(listens()).toBe(1);
  });

  test("a client that is sent away comes back, and it counts as no failure", async () => {
    const client = open();
    const read = collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    hub.pushAll({ control: { case: "goAway", value: { action: GoAwayAction.RESUME } } });
    const away = await until(client.connection, (now) => now.phase === "backoff");
    expect(away).toMatchObject({ attempt: 0, error: null });
    await until(client.connection, (now) => now.phase === "live");
    hub.publish(TOPIC, content("a"));
    await read.has(1);
  });

  test("a client that is sent away within a time reads on until it leaves", async () => {
    environment.randomValue = 0.99;
    const client = open();
    const read = collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    const value = { action: GoAwayAction.RESUME, within: toDuration(500) };
    hub.pushAll({ control: { case: "goAway", value } });
    hub.publish(TOPIC, content("a"));
    await read.has(1);
    expect(client.connection.getSnapshot().phase).toBe("live");
    expect(listens()).toBe(1);
    await until(client.connection, (now) => now.phase !== "live");
    await until(client.connection, (now) => now.phase === "live");
    expect(listens()).toBe(2);
    expect(client.connection.getSnapshot()).toMatchObject({ attempt: 0, error: null });
  });

  test("a stream that ends after its client was sent away is no failure", async () => {
    environment.randomValue = 0.99;
    const client = open();
    collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live" && now.rttMs !== null);
    const value = { action: GoAwayAction.RESUME, within: toDuration(60_000) };
    hub.pushAll({ control: { case: "goAway", value } });
    hub.publish(TOPIC, content("a"));
    await until(client.connection, (now) => now.counters.events === 1);
    hub.cutStreams();
    const away = await until(client.connection, (now) => now.phase === "backoff");
    expect(away).toMatchObject({ attempt: 0, error: null });
  });

  test("a client that is told to stop stops", async () => {
    const client = open();
    collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    hub.pushAll({ control: { case: "goAway", value: { action: GoAwayAction.UPGRADE } } });
    const state = await until(client.connection, (now) => now.phase === "failed");
    expect(state.quality).toBe("down");
  });
});
