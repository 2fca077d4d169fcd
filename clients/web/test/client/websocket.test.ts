import { describe, expect, test, vi } from "vitest";
import { Code } from "../../src/gen/google/rpc/code_pb.js";
import { PresenceState, StepReason } from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";
import { collect, content, environment, FAST, hub, hubForEachTest, open, TOPIC } from "../support/rig.js";
import { until } from "../support/until.js";

hubForEachTest();

/** No probe because of a slow machine. */
const PATIENT = { ...FAST, probeMinMs: 60_000 };

/** A client whose only way to the hub is a WebSocket, unless it is told another one. */
function overSocket(options: Parameters<typeof open>[0] = {}) {
  hub.listenMode = "refuse";
  hub.socketMode = "serve";
  return open({ timing: PATIENT, ...options });
}

describe("the WebSocket", () => {
  test("G1r, G3r: it follows a refused stream, with the same frames and one position", async () => {
    hub.publish(TOPIC, content("a"));
    const client = overSocket();
    const read = collect(client);
    client.connect();
    const state = await until(client.connection, (now) => now.phase === "live");
    expect(state).toMatchObject({ transport: "websocket", quality: "good" });
    hub.publish(TOPIC, content("b"));
    await read.has(2);
    hub.cutStreams();
    await until(client.connection, (now) => now.phase === "backoff");
    hub.publish(TOPIC, content("c"));
    await read.has(3);
    expect(read.texts).toEqual(["a", "b", "c"]);
    const { counters, steps } = client.connection.getSnapshot();
    expect(counters).toMatchObject({ duplicates: 0, gaps: 0, stepDowns: 1 });
    expect(steps).toMatchObject([{ from: "stream", to: "websocket", reason: "unsupported" }]);
    // The hub is told once, on the transport that was taken.
    expect(hub.steps).toMatchObject([{ left: "grpc-web", reason: StepReason.BLOCKED }, undefined]);
  });

  test("G6r: its figures are its own", async () => {
    const client = overSocket();
    const read = collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    hub.publish(TOPIC, content("a"));
    await read.has(1);
    const { websocket, stream, poll } = client.connection.getSnapshot().transports;
    expect(websocket).toMatchObject({ sessions: 1, events: 1 });
    expect(websocket.bytes).toBeGreaterThan(0);
    expect(websocket.firstEventMs).toBeGreaterThanOrEqual(websocket.firstFrameMs ?? Number.NaN);
    expect(stream).toMatchObject({ sessions: 1, events: 0, bytes: 0, firstFrameMs: null });
    expect(poll.sessions).toBe(0);
  });

  test("the token goes in the first frame, and a new one on the running session", async () => {
    let made = 0;
    const client = overSocket({
      getToken: () => {
        made += 1;
        return `t${made}`;
      },
    });
    collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    expect(hub.tokens.at(-1)).toBe("Bearer t1");
    hub.pushAll({ control: { case: "sessionExpiring", value: {} } });
    await vi.waitUntil(() => hub.refreshed.length === 1);
    expect(hub.refreshed).toEqual(["t2"]);
    expect(client.connection.getSnapshot().phase).toBe("live");
  });

  test("a refused token is known by the close code", async () => {
    const client = overSocket({ getToken: () => "bad" });
    hub.refuse = { code: Code.UNAUTHENTICATED, message: "TOKEN_EXPIRED" };
    collect(client);
    client.connect();
    const state = await until(client.connection, (now) => now.phase === "needs-auth");
    expect(state.error).toMatchObject({ kind: "auth" });
  });

  test("subscriptions change on the running session", async () => {
    const client = overSocket();
    collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    hub.publish("meeting/7", content("x"));
    const other = collect(client, "meeting/7");
    await other.has(1);
    expect(hub.calls.filter((name) => name === "hello")).toHaveLength(1);
    expect(hub.calls).not.toContain("UpdateSubscriptions");
  });

  test("D3: its sign of life measures the round trip", async () => {
    hub.heartbeatMs = 200;
    const client = overSocket();
    const read = collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    hub.publish(TOPIC, content("a"));
    await read.has(1);
    await until(client.connection, (now) => now.rttMs !== null);
    expect(hub.touches.length).toBeGreaterThan(0);
  });

  test("D3: silence is death on it as well", async () => {
    hub.heartbeatMs = 40;
    const client = overSocket();
    collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    const lost = await until(client.connection, (now) => now.phase === "backoff");
    expect(lost.error?.kind).toBe("network");
  });

  test("presence is said on it, a refusal ends no topic, and leaving says good-bye", async () => {
    const client = overSocket();
    const read = collect(client);
    client.setPresence(TOPIC, "active");
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    await vi.waitUntil(() => hub.present.length > 0);
    hub.refusesPresence = true;
    client.setPresence(TOPIC, "away");
    await vi.waitUntil(() => environment.reported.length > 0);
    expect(environment.reported.splice(0)).toMatchObject([{ kind: "permission" }]);
    expect(client.topicState(TOPIC)?.getSnapshot().status).toBe("live");
    hub.refusesPresence = false;
    client.setPresence(TOPIC, "active");
    client.disconnect();
    await vi.waitUntil(() => hub.closeCodes.length > 0);
    expect(hub.closeCodes).toEqual([1000]);
    expect(hub.present.at(-1)?.state).toBe(PresenceState.OFFLINE);
    expect(read.errors).toEqual([]);
  });

  test("one that says nothing is left for polling, and news come meanwhile", async () => {
    const client = overSocket({ timing: { ...PATIENT, parallelPollMs: 30, welcomeMs: 300 } });
    hub.socketMode = "swallow";
    hub.publish(TOPIC, content("a"));
    const read = collect(client);
    client.connect();
    await read.has(1);
    expect(client.connection.getSnapshot().phase).toBe("connecting");
    const state = await until(client.connection, (now) => now.phase === "live");
    expect(state.transport).toBe("longpoll");
    expect(state.steps.map(({ to, reason }) => `${to}: ${reason}`)).toEqual([
      "websocket: unsupported",
      "longpoll: blocked",
    ]);
  });

  test("the way back up may be a WebSocket, while streams stay blocked", async () => {
    const client = overSocket({ timing: { ...PATIENT, probeMinMs: 40 } });
    hub.socketMode = "refuse";
    const read = collect(client);
    client.connect();
    await until(client.connection, (now) => now.transport === "longpoll");
    hub.socketMode = "serve";
    await until(client.connection, (now) => now.transport === "websocket");
    hub.publish(TOPIC, content("a"));
    await read.has(1);
    hub.listenMode = "serve";
    environment.wake("online");
    await until(client.connection, (now) => now.transport === "stream");
    hub.publish(TOPIC, content("b"));
    await read.has(2);
    expect(read.texts).toEqual(["a", "b"]);
    const told = hub.steps.flatMap((step) => (step ? [`${step.left} ${StepReason[step.reason]}`] : []));
    expect([...new Set(told)]).toEqual(["grpc-web BLOCKED", "poll PROBED", "websocket PROBED"]);
  });
});
