import { expect, onTestFinished, test, vi } from "vitest";
import { commands } from "vitest/browser";
import { createRealtimeClient, type RealtimeClient, type RealtimeClientOptions } from "../../src/client.js";
import { browserEnvironment } from "../../src/environment.js";
import { realHub } from "../support/real-hub.js";
import { realProxy } from "../support/real-proxy.js";
import { until } from "../support/until.js";

const TOPIC = "meeting/faults";
const SECRET = "a secret of tests that is long enough";
/** The shortest waits that chance allows, so that twenty faults take seconds; and no rung of an earlier test. */
const ENVIRONMENT = { ...browserEnvironment(), random: () => 0, storage: () => null };
const BEAT = { options: ["--heartbeat", "1"] };

function open(options: Partial<RealtimeClientOptions> & { readonly baseUrl: string }): RealtimeClient {
  const client = createRealtimeClient({ environment: ENVIRONMENT, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** The numbers of the events that the client has handed over, and what it was told of completeness. */
function read(client: RealtimeClient) {
  const numbers: number[] = [];
  const verdicts: string[] = [];
  client.topic(TOPIC).subscribe({
    start: "earliest",
    onEvent: (event) => numbers.push(Number(event.content?.attributes["n"])),
    onVerdict: ({ verdict }) => verdicts.push(verdict),
  });
  return { numbers, verdicts, has: (count: number) => vi.waitUntil(() => numbers.length >= count, PATIENCE) };
}

const PATIENCE = { timeout: 60_000, interval: 20 };

/** Publishes events with the numbers `from` to `through`, past every proxy. */
async function publish(hub: string, from: number, through: number, token = ""): Promise<void> {
  const drafts = [];
  for (let n = from; n <= through; n += 1) {
    const content = { attributes: { n: String(n) }, meeting: { attempt: 1 } };
    drafts.push({ id: `n${n}-${crypto.randomUUID()}`, topic: TOPIC, content });
  }
  const headers = {
    "content-type": "application/json",
    ...(token ? { authorization: `Bearer ${token}` } : {}),
  };
  const answer = await fetch(`${hub}/v1/publish`, {
    method: "POST",
    headers,
    body: JSON.stringify({ drafts }),
  });
  const told = (await answer.json()) as { results?: { outcome?: string }[] };
  const bad = told.results?.find(({ outcome }) => outcome !== "OUTCOME_STORED");
  if (!told.results || bad) throw new Error(JSON.stringify(bad ?? told));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** In full in one engine. The others differ in how a broken connection looks, so they get each kind of fault. */
const CHROMIUM = "userAgentData" in navigator;
const FAULTS = CHROMIUM ? 20 : 6;
const EACH = 500;
const KINDS = ["cut", "reset", "stall", "cut", "reset", "kill", "cut", "reset", "cut", "reset"] as const;

test("D1, G3r, G2, G3, G4: numbered events through faults of all kinds, none lost, doubled or out of order", async () => {
  const hub = await realHub(BEAT);
  const proxy = await realProxy(hub.baseUrl);
  const client = open({ baseUrl: proxy.baseUrl, timing: { probeMinMs: 500, probeSettleMs: 500 } });
  const { numbers, verdicts, has } = read(client);
  client.connect();
  for (let fault = 0; fault < FAULTS; fault += 1) {
    await until(client.connection, ({ phase }) => phase === "live");
    const kind = KINDS[fault % KINDS.length] ?? "cut";
    const published = publish(hub.baseUrl, fault * EACH + 1, (fault + 1) * EACH);
    if (kind === "kill") {
      await published; // so that it is known what is stored
      await hub.restart();
    } else await proxy.strike(kind);
    await published;
    await has((fault + 1) * EACH);
  }
  expect(numbers).toEqual(upTo(FAULTS * EACH));
  const { counters } = client.connection.getSnapshot();
  expect(counters).toMatchObject({ events: FAULTS * EACH, gaps: 0, resets: 0, leftOut: 0 });
  expect(verdicts).not.toContain("gap");
});

test("G1r, G6r: with streams refused it goes to the WebSocket, then to polls, and up again, told at both ends", async () => {
  const hub = await realHub(BEAT);
  const proxy = await realProxy(hub.baseUrl);
  await proxy.set({ stream: "refuse" });
  const client = open({ baseUrl: proxy.baseUrl, timing: { probeMinMs: 500, probeSettleMs: 500 } });
  const { numbers, has } = read(client);
  client.connect();
  await until(client.connection, ({ phase, transport }) => phase === "live" && transport === "websocket");
  await publish(hub.baseUrl, 1, 10);
  await has(10);
  await proxy.set({ stream: "html", socket: "refuse" });
  await proxy.strike("cut");
  await until(client.connection, ({ phase, transport }) => phase === "live" && transport === "longpoll");
  await publish(hub.baseUrl, 11, 20);
  await has(20);
  await proxy.set({ stream: "pass", socket: "pass" });
  await until(client.connection, ({ phase, transport }) => phase === "live" && transport === "stream");
  await publish(hub.baseUrl, 21, 30);
  await has(30);
  expect(numbers).toEqual(upTo(30));
  const { steps, transports, counters } = client.connection.getSnapshot();
  const told = steps.map(({ from, to, reason }) => `${from} ${to} ${reason}`);
  expect(told[0]).toBe("stream websocket unsupported");
  expect(told).toContain("websocket longpoll failing");
  expect(told.at(-1)).toMatch(/ stream probed$/);
  expect(counters).toMatchObject({ gaps: 0, resets: 0 });
  for (const rung of ["stream", "websocket", "longpoll"] as const) {
    expect(transports[rung].events, rung).toBeGreaterThan(0);
    expect(transports[rung].bytes, rung).toBeGreaterThan(0);
    expect(transports[rung].firstEventMs, rung).not.toBeNull();
  }
  expect(await hub.figures()).toMatch(/rthub_transport_steps_total\{.*left="grpc-web".*reason="BLOCKED"/);
});

test.runIf(CHROMIUM)(
  "G1r: a proxy that holds streams and WebSockets back is found out, and news come meanwhile",
  async () => {
    const hub = await realHub();
    const proxy = await realProxy(hub.baseUrl);
    await proxy.set({ stream: "hold", socket: "hold" });
    await publish(hub.baseUrl, 1, 5);
    const client = open({ baseUrl: proxy.baseUrl, timing: { parallelPollMs: 200, welcomeMs: 3000 } });
    const { numbers, has } = read(client);
    client.connect();
    await has(5);
    await until(client.connection, ({ phase }) => phase === "live");
    expect(client.connection.getSnapshot()).toMatchObject({ transport: "longpoll", quality: "degraded" });
    expect(client.connection.getSnapshot().steps).toMatchObject([
      { reason: "blocked" },
      { reason: "blocked" },
    ]);
    await publish(hub.baseUrl, 6, 10);
    await has(10);
    expect(numbers).toEqual(upTo(10));
  },
);

test.runIf(CHROMIUM)(
  "G1r, G2r: waits that are cut lead to polls at intervals, and back when they last",
  async () => {
    const hub = await realHub();
    const proxy = await realProxy(hub.baseUrl);
    await proxy.set({ patienceMs: 500 });
    const timing = { pollWaitMs: 1500, probeMinMs: 500 };
    const client = open({ baseUrl: proxy.baseUrl, ladder: ["longpoll", "poll"], timing });
    const { numbers, has } = read(client);
    client.connect();
    await until(client.connection, ({ phase, transport }) => phase === "live" && transport === "poll");
    await publish(hub.baseUrl, 1, 5);
    await has(5);
    await proxy.set({ patienceMs: 0 });
    await until(client.connection, ({ transport }) => transport === "longpoll");
    await publish(hub.baseUrl, 6, 10);
    await has(10);
    expect(numbers).toEqual(upTo(10));
    const steps = client.connection.getSnapshot().steps.map(({ to, reason }) => `${to} ${reason}`);
    expect(steps).toEqual(["poll cut", "longpoll probed"]);
  },
);

test("D3: a half-open connection is noticed by silence, and what was published meanwhile comes", async () => {
  const hub = await realHub(BEAT);
  const proxy = await realProxy(hub.baseUrl);
  const client = open({ baseUrl: proxy.baseUrl });
  const { numbers, has } = read(client);
  client.connect();
  await until(client.connection, ({ phase, rttMs }) => phase === "live" && rttMs !== null);
  await vi.waitUntil(() => proxy.strike("stall").then((count) => count > 0), PATIENCE);
  await publish(hub.baseUrl, 1, 10);
  const lost = await until(client.connection, ({ phase }) => phase === "backoff");
  expect(lost.error?.kind).toBe("network");
  await has(10);
  expect(numbers).toEqual(upTo(10));
});

test.runIf(CHROMIUM)("D4: tokens rotate on the running session, which outlives them", async () => {
  const hub = await realHub({ ...BEAT, dev: false, env: { RTHUB_AUTH_HS256_SECRET: SECRET } });
  const LEFT = 8;
  const reasons: string[] = [];
  const client = open({
    baseUrl: hub.baseUrl,
    // Due in 2 s, six seconds before their end.
    getToken: ({ reason }) => {
      reasons.push(reason);
      return commands.mintToken(SECRET, "alice", { age: 22, left: LEFT });
    },
  });
  const publisher = await commands.mintToken(SECRET, "back-end");
  const { numbers, has } = read(client);
  client.connect();
  await until(client.connection, ({ phase }) => phase === "live");
  await publish(hub.baseUrl, 1, 5, publisher);
  const began = Date.now();
  await vi.waitUntil(() => Date.now() - began > (LEFT + 1) * 1000, PATIENCE);
  await publish(hub.baseUrl, 6, 10, publisher);
  await has(10);
  expect(numbers).toEqual(upTo(10));
  expect(reasons[0]).toBe("initial");
  expect(new Set(reasons.slice(1))).toEqual(new Set(["expiring"]));
  const { phase, transports, counters } = client.connection.getSnapshot();
  expect({ phase, sessions: transports.stream.sessions }).toEqual({ phase: "live", sessions: 1 });
  expect(counters).toMatchObject({ duplicates: 0, gaps: 0 });
});

test.runIf(CHROMIUM)("G4r: another log is told as RESET, and read from its beginning", async () => {
  const hub = await realHub();
  const client = open({ baseUrl: hub.baseUrl });
  const { numbers, verdicts, has } = read(client);
  client.connect();
  await publish(hub.baseUrl, 1, 5);
  await has(5);
  await hub.empty();
  await publish(hub.baseUrl, 101, 103);
  await has(8);
  expect(numbers).toEqual([...upTo(5), 101, 102, 103]);
  expect(verdicts).toContain("reset");
  expect(client.connection.getSnapshot().counters.resets).toBe(1);
});
