import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createRealtimeClient, type RealtimeClient, type RealtimeClientOptions } from "../src/client.js";
import { Code } from "../src/gen/google/rpc/code_pb.js";
import { ErrorReason } from "../src/gen/shipspeak/realtime/v1/error_reason_pb.js";
import { EventSchema } from "../src/gen/shipspeak/realtime/v1/event_pb.js";
import { GoAwayAction } from "../src/gen/shipspeak/realtime/v1/frame_pb.js";
import { TestEnvironment } from "./support/environment.js";
import { TestHub } from "./support/test-hub.js";
import { until } from "./support/until.js";

const TOPIC = "meeting/42";
const FAST = { parallelPollMs: 30, welcomeMs: 60, probeMinMs: 40, probeSettleMs: 20, pollWaitMs: 2000 };

let hub: TestHub;
let url: string;
let environment: TestEnvironment;
const clients: RealtimeClient[] = [];

function content(text: string): { attributes: Record<string, string> } {
  return { attributes: { text } };
}

function open(options: Partial<RealtimeClientOptions> = {}): RealtimeClient {
  const client = createRealtimeClient({ baseUrl: url, environment, timing: FAST, ...options });
  clients.push(client);
  return client;
}

/** Reads the topic from its beginning; the list fills as events come. */
function collect(client: RealtimeClient, topic = TOPIC) {
  const texts: string[] = [];
  const verdicts: string[] = [];
  client.topic(topic).subscribe({
    start: "earliest",
    onEvent: (event) => texts.push(event.content?.attributes["text"] ?? ""),
    onVerdict: (news) => verdicts.push(news.verdict),
  });
  const has = (count: number) => until(client.connection, () => texts.length >= count);
  return { texts, verdicts, has };
}

beforeEach(async () => {
  hub = new TestHub();
  environment = new TestEnvironment();
  url = await hub.start();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await hub.kill();
  expect(environment.reported).toEqual([]);
});

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
    hub.epoch = 9n;
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
});

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
    expect(hub.calls.filter((name) => name === "Listen")).toHaveLength(1);
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

describe("publish", () => {
  test("gives a receipt, and the first offset for a repeated id", async () => {
    const client = open();
    const first = await client.publish(TOPIC, content("a"), { id: "one" });
    const again = await client.publish(TOPIC, content("a"), { id: "one" });
    expect(first).toEqual({ id: "one", outcome: "stored", duplicate: false, offset: 1n });
    expect(again).toEqual({ id: "one", outcome: "stored", duplicate: true, offset: 1n });
  });

  test("repeats with the same id until the hub is there", async () => {
    await hub.kill();
    const client = open();
    const receipt = client.publish(TOPIC, content("a"));
    await hub.start();
    expect((await receipt).offset).toBe(1n);
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
