import { describe, expect, test, vi } from "vitest";
import { Code } from "../../src/gen/google/rpc/code_pb.js";
import { ErrorReason } from "../../src/gen/shipspeak/realtime/v1/error_reason_pb.js";
import { PresenceState } from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";
import { collect, content, hub, hubForEachTest, open, TOPIC } from "../support/rig.js";
import { until } from "../support/until.js";

hubForEachTest();

const ALICE = { user: "alice", clientId: "a", state: PresenceState.ONLINE };
const BOB = { user: "bob", clientId: "b", state: PresenceState.AWAY, metadata: { page: "3" } };

function tell(full: boolean, members: object[], sessions: number): void {
  hub.pushAll({
    control: { case: "presence", value: { topic: TOPIC, full, members, sessions, users: sessions } },
  });
}

describe("watching", () => {
  test("the full state, then what changes; stale without the stream, full again after it", async () => {
    const client = open();
    const store = client.presence(TOPIC);
    store.subscribe(() => {});
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    expect(hub.presenceAsked.at(-1)).toEqual([TOPIC]);
    tell(true, [ALICE], 1);
    tell(false, [BOB], 2);
    const two = await until(store, (now) => now.sessions === 2);
    expect(two.members.map((one) => [one.user, one.state, one.metadata])).toEqual([
      ["alice", "online", {}],
      ["bob", "away", { page: "3" }],
    ]);
    tell(false, [{ ...ALICE, state: PresenceState.OFFLINE }], 1);
    await until(store, (now) => now.members.length === 1);
    hub.cutStreams();
    await until(store, (now) => now.status === "stale");
    await until(client.connection, (now) => now.phase === "live");
    tell(false, [ALICE], 2); // of no stream that has begun with the full state
    tell(true, [ALICE], 1);
    const again = await until(store, (now) => now.status === "live");
    expect(again.members.map((one) => one.user)).toEqual(["alice"]);
  });

  test("above the limit only the counts", async () => {
    const client = open();
    const store = client.presence(TOPIC);
    store.subscribe(() => {});
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    tell(true, [], 101);
    const crowd = await until(store, (now) => now.sessions === 101);
    expect(crowd.members).toEqual([]);
  });

  test("begins and ends beside a reader of the topic, and never asks a poll", async () => {
    const client = open();
    const read = collect(client);
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    expect(hub.presenceAsked.at(-1)).toEqual([]);
    const stop = client.presence(TOPIC).subscribe(() => {});
    await vi.waitFor(() => expect(hub.presenceAsked.at(-1)?.length).toBe(1));
    stop();
    await vi.waitFor(() => expect(hub.presenceAsked.at(-1)?.length).toBe(0));
    hub.publish(TOPIC, content("a"));
    await read.has(1);
  });

  test("a refusal of the presence leaves reading alone", async () => {
    const client = open();
    const read = collect(client);
    const store = client.presence(TOPIC);
    store.subscribe(() => {});
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    const value = {
      topic: TOPIC,
      code: Code.PERMISSION_DENIED,
      reason: ErrorReason.RIGHT_MISSING,
      metadata: { right: "presence" },
    };
    hub.pushAll({ control: { case: "error", value } });
    const refused = await until(store, (now) => now.status === "refused");
    expect(refused.error?.kind).toBe("permission");
    await vi.waitFor(() => expect(hub.presenceAsked.at(-1)?.length).toBe(0));
    hub.publish(TOPIC, content("a"));
    await read.has(1);
    expect(read.errors).toEqual([]);
  });
});

describe("being seen", () => {
  test("said on every stream, at each change, and taken back", async () => {
    const client = open();
    client.setPresence(TOPIC, "active", { page: "3" });
    client.connect();
    await vi.waitFor(() => expect(hub.present.length).toBe(1));
    expect(hub.present[0]).toMatchObject({
      topic: TOPIC,
      state: PresenceState.ACTIVE,
      metadata: { page: "3" },
    });
    client.setPresence(TOPIC, "away");
    await vi.waitFor(() => expect(hub.present.at(-1)?.state).toBe(PresenceState.AWAY));
    hub.cutStreams();
    await vi.waitFor(() => expect(hub.present.length).toBe(3));
    expect(hub.present.at(-1)?.state).toBe(PresenceState.AWAY);
    client.disconnect();
    await vi.waitFor(() => expect(hub.present.at(-1)?.state).toBe(PresenceState.OFFLINE));
    client.connect();
    await vi.waitFor(() => expect(hub.present.at(-1)?.state).toBe(PresenceState.AWAY));
    client.setPresence(TOPIC, null);
    await vi.waitFor(() => expect(hub.present.at(-1)?.state).toBe(PresenceState.OFFLINE));
  });
});
