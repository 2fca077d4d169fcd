import { describe, expect, test, vi } from "vitest";
import { Code } from "../../src/gen/google/rpc/code_pb.js";
import { ErrorReason } from "../../src/gen/shipspeak/realtime/v1/error_reason_pb.js";
import { GoAwayAction } from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";
import { collect, content, hub, hubForEachTest, open, TOPIC } from "../support/rig.js";
import { until } from "../support/until.js";

hubForEachTest();

describe("who may", () => {
  test("the token goes with every call", async () => {
    const client = open({ getToken: () => "t1" });
    collect(client);
    client.connect();
    await until(client.connection, (now) => now.rttMs !== null);
    expect(new Set(hub.tokens)).toEqual(new Set(["Bearer t1"]));
  });

  test("a refused token is replaced once, then a person is needed", async () => {
    const reasons: string[] = [];
    hub.refuse = { code: Code.UNAUTHENTICATED, message: "expired" };
    const client = open({
      getToken: ({ reason }) => {
        reasons.push(reason);
        return `t${reasons.length}`;
      },
    });
    collect(client);
    client.connect();
    const state = await until(client.connection, (now) => now.phase === "needs-auth");
    expect(reasons).toEqual(["initial", "rejected"]);
    expect(state.error?.kind).toBe("auth");
    hub.refuse = null;
    client.retryNow();
    await until(client.connection, (now) => now.phase === "live");
  });

  test("D4: a source that hands out ended tokens is asked again, with waits, until one is good", async () => {
    const reasons: string[] = [];
    const client = open({
      getToken: ({ reason }) => {
        reasons.push(reason);
        return `t${reasons.length}`;
      },
    });
    const read = collect(client);
    const waits: number[] = [];
    client.connection.subscribe(() => {
      const { phase, attempt, retryAt } = client.connection.getSnapshot();
      if (phase === "needs-auth" && retryAt !== null) waits.push(attempt);
    });
    client.connect();
    const value = { action: GoAwayAction.REAUTHENTICATE, reason: ErrorReason.TOKEN_EXPIRED };
    for (let times = 0; times < 4; times += 1) {
      await until(client.connection, (now) => now.phase === "live");
      hub.pushAll({ control: { case: "goAway", value } });
      await until(client.connection, (now) => now.phase !== "live");
    }
    await until(client.connection, (now) => now.phase === "live");
    expect(reasons).toEqual(["initial", ...Array(4).fill("rejected")]);
    expect([...new Set(waits)]).toEqual([1, 2, 3]);
    hub.publish(TOPIC, content("a"));
    await read.has(1);
    expect(client.connection.getSnapshot()).toMatchObject({ retryAt: null, error: null });
  });

  test("no token means that somebody has to sign in", async () => {
    const client = open({ getToken: () => null });
    client.connect();
    await until(client.connection, (now) => now.phase === "needs-auth");
    expect(hub.calls).toEqual([]);
  });

  test("a refused topic is told to its listener and leaves the others alone", async () => {
    const client = open();
    const read = collect(client);
    const refused = new Promise<ErrorReason>((resolve) => {
      client.topic("meeting/secret").subscribe({ onError: (error) => resolve(error.reason) });
    });
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    const value = {
      topic: "meeting/secret",
      code: Code.PERMISSION_DENIED,
      reason: ErrorReason.RIGHT_MISSING,
    };
    hub.pushAll({ control: { case: "error", value } });
    expect(await refused).toBe(ErrorReason.RIGHT_MISSING);
    hub.publish(TOPIC, content("a"));
    await read.has(1);
  });

  test("a listener that joins a refused topic is told so, and reads no history", async () => {
    const client = open();
    client.topic("meeting/secret").subscribe({ start: "latest" });
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    const value = {
      topic: "meeting/secret",
      code: Code.PERMISSION_DENIED,
      reason: ErrorReason.RIGHT_MISSING,
    };
    hub.pushAll({ control: { case: "error", value } });
    const secret = client.topicState("meeting/secret");
    if (secret) await until(secret, (now) => now.status === "refused");
    const told = await new Promise<ErrorReason>((resolve) => {
      client
        .topic("meeting/secret")
        .subscribe({ start: "earliest", onError: (error) => resolve(error.reason) });
    });
    expect(told).toBe(ErrorReason.RIGHT_MISSING);
    await client.publish(TOPIC, content("a")); // a read of history would have come before this call
    expect(hub.calls).not.toContain("ReadHistory");
  });
});

test.each(["", "m", `meeting/${"4".repeat(200)}`])(
  "a topic that is no topic (%j) ends no other",
  async (name) => {
    const client = open();
    const read = collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    const bad = collect(client, name);
    await vi.waitUntil(() => bad.errors.length > 0);
    expect(bad.errors).toEqual(["refused"]);
    const { status, error } = client.topicState(name)?.getSnapshot() ?? {};
    expect({ status, reason: error?.reason }).toEqual({
      status: "refused",
      reason: ErrorReason.TOPIC_INVALID,
    });
    hub.cutStreams();
    await until(client.connection, (now) => now.phase === "backoff");
    await until(client.connection, (now) => now.phase === "live");
    hub.publish(TOPIC, content("a"));
    await read.has(1);
  },
);
