import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { EventSchema } from "../../src/gen/shipspeak/realtime/v1/event_pb.js";
import { Verdict } from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";
import { collect, content, environment, hub, hubForEachTest, open, TOPIC } from "../support/rig.js";
import { until } from "../support/until.js";

hubForEachTest();

describe("on the stream", () => {
  test("delivers history and then what comes, in order, and goes live", async () => {
    hub.publish(TOPIC, content("a"));
    const client = open();
    const read = collect(client);
    client.connect();
    const state = await until(client.connection, (now) => now.phase === "live");
    hub.publish(TOPIC, content("b"));
    await read.has(2);
    expect(read.texts).toEqual(["a", "b"]);
    expect(state).toMatchObject({
      transport: "stream",
      quality: "good",
      everConnected: true,
      lostSince: null,
    });
    expect(client.topicState(TOPIC)?.getSnapshot().offset).toBe(2n);
  });

  test("resumes after a kill with nothing missing and nothing twice", async () => {
    const client = open();
    const read = collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    hub.publish(TOPIC, content("a"));
    await read.has(1);
    await hub.kill();
    await until(client.connection, (now) => now.phase === "backoff");
    hub.publish(TOPIC, content("b"));
    await hub.start();
    hub.publish(TOPIC, content("c"));
    await read.has(3);
    const { counters, transport } = await until(client.connection, (now) => now.phase === "live");
    expect(read.texts).toEqual(["a", "b", "c"]);
    expect(transport).toBe("stream");
    expect(counters).toMatchObject({ events: 3, duplicates: 0, gaps: 0, resets: 0, stepDowns: 0 });
  });

  test("a cut in the middle of a frame counts as a loss, not as an end", async () => {
    const client = open();
    collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    hub.cutStreams();
    const lost = await until(client.connection, (now) => now.phase === "backoff");
    expect(lost.error?.kind).toBe("network");
    expect(lost.retryAt).not.toBeNull();
    await until(client.connection, (now) => now.phase === "live");
  });

  test("reports handled bytes as a running total after each 64 KiB", async () => {
    const client = open();
    const read = collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    const big = "x".repeat(1000);
    for (let index = 0; index < 150; index += 1) hub.publish(TOPIC, content(big));
    await read.has(150);
    await until(client.connection, () => (hub.touches.at(-1) ?? 0n) >= 131_072n);
    const { bytes } = client.connection.getSnapshot().counters;
    expect(Number(hub.touches.at(-1))).toBeLessThanOrEqual(bytes);
    expect([...hub.touches].sort((a, b) => Number(a - b))).toEqual(hub.touches);
  });

  test("a topic that is subscribed later joins the running stream", async () => {
    const client = open();
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    hub.publish("meeting/7", content("a"));
    const read = collect(client, "meeting/7");
    await read.has(1);
    expect(read.texts).toEqual(["a"]);
    expect(hub.calls.filter((name) => name === "Listen")).toHaveLength(1);
  });

  test("a late listener replays history and then goes on with the others", async () => {
    const client = open();
    const first = collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    hub.publish(TOPIC, content("a"));
    hub.publish(TOPIC, content("b"));
    await first.has(2);
    const second = collect(client);
    hub.publish(TOPIC, content("c"));
    await second.has(3);
    hub.publish(TOPIC, content("d"));
    await second.has(4);
    expect(second.texts).toEqual(["a", "b", "c", "d"]);
    expect(first.texts).toEqual(["a", "b", "c", "d"]);
  });

  test("another epoch is told as a reset", async () => {
    const client = open();
    const read = collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    hub.publish(TOPIC, content("a"));
    await read.has(1);
    hub.log.epoch = 9n;
    hub.cutStreams();
    await read.has(2);
    expect(read.verdicts).toContain("reset");
    expect(client.connection.getSnapshot().counters.resets).toBe(1);
  });

  test("silence for two and a half heartbeats is a loss", async () => {
    hub.heartbeatMs = 40;
    const client = open();
    collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    const lost = await until(client.connection, (now) => now.phase === "backoff");
    expect(lost.error?.message).toContain("Nothing was heard");
  });

  test("an exception of one listener reaches neither the others nor the connection", async () => {
    const client = open();
    client.topic(TOPIC).subscribe({
      start: "earliest",
      onEvent: () => {
        throw new Error("of the application");
      },
    });
    const read = collect(client);
    client.connect();
    hub.publish(TOPIC, content("a"));
    await read.has(1);
    expect(client.connection.getSnapshot().phase).toBe("live");
    expect(environment.reported.splice(0)).toHaveLength(1);
  });
});

test("a volatile topic gives each id once", async () => {
  const client = open();
  const read = collect(client, "typing/42");
  client.connect();
  await until(client.connection, (now) => now.phase === "live");
  const event = create(EventSchema, { id: "v1", content: content("a") });
  hub.pushAll({ runs: [{ topic: "typing/42", events: [event, event] }] });
  await read.has(1);
  expect(read.texts).toEqual(["a"]);
  expect(client.connection.getSnapshot().counters.duplicates).toBe(1);
});

test("a volatile topic that has run ahead tells how much is lost, and goes on", async () => {
  const client = open();
  const told: unknown[] = [];
  client.topic("typing/42").subscribe({
    onEvent: (event) => told.push(event.id),
    onVerdict: (news) => told.push(news),
  });
  client.connect();
  await until(client.connection, (now) => now.phase === "live");
  told.length = 0;
  const event = create(EventSchema, { id: "v1", content: content("a") });
  const gap = { topic: "typing/42", verdict: Verdict.GAP, lost: 7n };
  hub.pushAll({ control: { case: "subscribed", value: gap } });
  hub.pushAll({ runs: [{ topic: "typing/42", events: [event] }] });
  await until(client.connection, (now) => now.counters.events === 1);
  expect(told).toEqual([{ verdict: "gap", lost: 7 }, "v1"]);
  expect(client.connection.getSnapshot()).toMatchObject({ phase: "live", counters: { gaps: 1 } });
});
