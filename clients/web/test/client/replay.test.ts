import { describe, expect, test, vi } from "vitest";
import { collect, content, hub, hubForEachTest, open, TOPIC } from "../support/rig.js";
import { until } from "../support/until.js";

hubForEachTest();

/** A live client whose topic has four events, so that a listener which wants them has to replay. */
async function liveWithHistory() {
  const client = open();
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
});
