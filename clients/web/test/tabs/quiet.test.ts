import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { type ServerFrame, ServerFrameSchema } from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";
import { PresenceBook } from "../../src/presence/book.js";
import { subscribed } from "../../src/tabs/admit.js";
import { Follower } from "../../src/tabs/follower.js";
import { type Body, TABS_VERSION, type TabMessage } from "../../src/tabs/messages.js";
import { TopicRegistry } from "../../src/topics/registry.js";
import { TestEnvironment } from "../support/environment.js";

const LIVE = { live: true, polling: true, hidden: false, beatMs: 60_000, peers: 1 };

/** A follower that reads, what it gives its session, and what the hub answers when it is asked. */
function reading(answer: readonly ServerFrame[] = []) {
  const environment = new TestEnvironment();
  const hooks = { onChange: () => {}, onReplay: () => {} };
  const registry = new TopicRegistry(environment, () => {}, new PresenceBook(environment.report), hooks);
  const context = { environment, registry, post: () => {}, onLeaderState: () => {} };
  const follower = new Follower({ ...context, catchUp: async () => ({ frames: answer, more: false }) });
  const hear = (body: Body) =>
    follower.hear({ v: TABS_VERSION, from: "leader", term: "1", ...body } as TabMessage);
  const stop = new AbortController();
  const frames = follower.frames(stop.signal);
  const next = async (): Promise<ServerFrame["control"]> => (await frames.next()).value?.message.control;
  return { registry, follower, hear, next };
}

test("a leader's sign of life is one for the follower's session, which else would take silence for death", async () => {
  const { hear, next } = reading();
  const welcome = next();
  hear({ kind: "lead", state: LIVE });
  expect(await welcome).toMatchObject({ case: "welcome", value: { sessionId: "relayed" } });
  const beat = next();
  hear({ kind: "state", state: LIVE });
  expect(await beat).toMatchObject({ case: "heartbeat" });
});

test("what its leader may not read and no asking brings, since it has no log, is refused rather than silent", async () => {
  const { registry, hear, next } = reading([subscribed("practice/1", null)]);
  const told: string[] = [];
  registry.subscribe("practice/1", { onError: (error) => told.push(error.message) });
  const welcome = next();
  hear({ kind: "lead", state: LIVE });
  await welcome;
  const place = { epoch: 0n, offset: 0n, cursor: new Uint8Array(0) };
  hear({ kind: "ready", ready: { topic: "practice/1", status: "refused", ...place } });
  for (const wanted of ["subscribed", "error"]) {
    const control = await next();
    expect(control?.case).toBe(wanted);
    if (control) registry.receive(create(ServerFrameSchema, { control }));
  }
  expect(told).toEqual(["The tab that leads may not read this topic."]);
});

test("a topic that was given up before the leader answered for it holds nothing back", async () => {
  const { registry, follower, hear, next } = reading();
  const relayed = create(ServerFrameSchema, {
    control: { case: "heartbeat", value: { completeAsOf: { seconds: 1n, nanos: 0 } } },
  });
  const say = () => hear({ kind: "frame", bytes: toBinary(ServerFrameSchema, relayed) });
  registry.subscribe("meeting/1", {});
  const first = next();
  hear({ kind: "lead", state: LIVE });
  await first;
  // While the leader owes an answer its heartbeat is a sign of life, and no word about what is complete.
  const early = next();
  say();
  const told = await early;
  expect(told?.case === "heartbeat" && told.value.completeAsOf).toBeUndefined();
  registry.get = () => undefined;
  registry.subscriptions = () => [];
  follower.changed();
  const late = next();
  say();
  expect(await late).toMatchObject({ case: "heartbeat", value: { completeAsOf: { seconds: 1n } } });
});
