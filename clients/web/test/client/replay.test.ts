import { describe, expect, test, vi } from "vitest";
import type { RealtimeClientOptions } from "../../src/client.js";
import { Code } from "../../src/gen/google/rpc/code_pb.js";
import { collect, content, hub, hubForEachTest, open, TOPIC } from "../support/rig.js";
import { until } from "../support/until.js";

hubForEachTest();

/** A live client whose topic has four events, so that a listener which wants them has to replay. */
async function liveWithHistory(options: Partial<RealtimeClientOptions> = {}) {
  const client = open(options);
  const first = collect(client);
  client.connect();
  await until(client.connection, (now) => now.phase === "live");
  for (const text of ["a", "b", "c", "d"]) hub.publish(TOPIC, content(text));
  await first.has(4);
  return client;
}

function reads(): number {
  return hub.calls.filter((name) => name === "ReadHistory").length;
}

describe("a late listener", () => {
  test("is told GAP when retention overtakes its replay, and goes on after the gap", async () => {
    const client = await liveWithHistory();
    hub.pageSize = 1;
    hub.refuseCall = (name) => {
      if (name === "ReadHistory" && reads() === 2) hub.log.trim(TOPIC, 3n);
      return null;
    };
    const late = collect(client);
    await late.has(2);
    hub.publish(TOPIC, content("e"));
    await late.has(3);
    expect(late.texts).toEqual(["a", "d", "e"]);
    expect(late.verdicts).toEqual(["gap"]);
    expect(client.connection.getSnapshot().counters.gaps).toBe(1);
  });

  test("is told GAP when all of the history is gone, and goes on with what comes", async () => {
    const client = await liveWithHistory();
    hub.pageSize = 1;
    hub.refuseCall = (name) => {
      if (name === "ReadHistory" && reads() === 2) hub.log.trim(TOPIC, 4n);
      return null;
    };
    const late = collect(client);
    await vi.waitUntil(() => late.verdicts.length > 0);
    hub.publish(TOPIC, content("e"));
    await late.has(2);
    expect(late.texts).toEqual(["a", "e"]);
    expect(late.verdicts).toEqual(["gap"]);
  });

  test("is told RESET when the log is another one in the middle of its replay", async () => {
    const client = await liveWithHistory();
    hub.pageSize = 1;
    hub.refuseCall = (name) => {
      if (name === "ReadHistory" && reads() === 3) hub.log.epoch = 9n;
      return null;
    };
    const late = collect(client);
    await late.has(6);
    expect(late.texts).toEqual(["a", "b", "a", "b", "c", "d"]);
    expect(late.verdicts).toEqual(["reset"]);
  });

  test("pauses after a page that brings it no further", async () => {
    const client = await liveWithHistory();
    const readAt: number[] = [];
    hub.pageSize = 0;
    hub.refuseCall = (name) => {
      if (name === "ReadHistory") readAt.push(performance.now());
      if (readAt.length === 3) hub.pageSize = 10;
      return null;
    };
    const late = collect(client);
    await late.has(4);
    expect(late.texts).toEqual(["a", "b", "c", "d"]);
    const [, second = 0, third = 0] = readAt;
    expect(third - second).toBeGreaterThan(200);
  });

  test("whose token is refused gets its history with a new one", async () => {
    const reasons: string[] = [];
    const client = await liveWithHistory({
      getToken: ({ reason }) => {
        reasons.push(reason);
        return `t${reasons.length}`;
      },
    });
    hub.refuseCall = (name, token) =>
      name === "ReadHistory" && token === "Bearer t1" ? { code: Code.UNAUTHENTICATED, message: "old" } : null;
    const late = collect(client);
    await late.has(4);
    expect(late.texts).toEqual(["a", "b", "c", "d"]);
    expect(late.verdicts).toEqual([]);
    expect(reasons).toEqual(["initial", "rejected"]);
  });

  test.each([
    ["permission", Code.PERMISSION_DENIED, 1],
    ["auth", Code.UNAUTHENTICATED, 2],
  ] as const)("is told by onError why its history cannot be had: %s", async (kind, code, calls) => {
    let tokens = 0;
    const client = await liveWithHistory({ getToken: () => `t${++tokens}` });
    hub.refuseCall = (name) => (name === "ReadHistory" ? { code, message: "no" } : null);
    const late = collect(client);
    await vi.waitUntil(() => late.errors.length > 0);
    expect(late.errors).toEqual([kind]);
    expect(late.verdicts).toEqual([]);
    expect(reads()).toBe(calls);
  });

  test("is told that nobody is signed in, and asks for nothing without a token", async () => {
    let signedIn = true;
    const client = await liveWithHistory({ getToken: () => (signedIn ? "t1" : null) });
    hub.refuseCall = (name) =>
      name === "ReadHistory" ? { code: Code.UNAUTHENTICATED, message: "old" } : null;
    signedIn = false;
    const late = collect(client);
    await vi.waitUntil(() => late.errors.length > 0);
    expect(late.errors).toEqual(["auth"]);
    expect(reads()).toBe(1);
  });

  test("stops to read on disconnect, and goes on where it was after connect", async () => {
    const client = await liveWithHistory();
    hub.pageSize = 1;
    hub.refuseCall = (name) => {
      if (name === "ReadHistory" && reads() === 3) client.disconnect();
      return null;
    };
    const late = collect(client);
    await until(client.connection, (now) => now.phase === "idle");
    const before = late.texts.length;
    await client.publish(TOPIC, content("e")); // a read that went on would have come before this call
    expect(reads()).toBe(3);
    expect(late.texts).toHaveLength(before);
    client.connect();
    await late.has(5);
    expect(late.texts).toEqual(["a", "b", "c", "d", "e"]);
    expect(late.errors).toEqual([]);
  });

  test("reads nothing before connect", async () => {
    const client = open();
    client.topic(TOPIC).subscribe({ start: "latest" });
    hub.publish(TOPIC, content("a"));
    const late = collect(client);
    await client.publish("meeting/7", content("b"));
    expect(hub.calls).toEqual(["Publish"]);
    client.connect();
    await late.has(1);
  });
});
