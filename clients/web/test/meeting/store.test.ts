import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RealtimeError } from "../../src/errors.js";
import { type MeetingStore, meetingStore } from "../../src/meeting/store.js";
import { FakeClient } from "../support/fake-client.js";

let client: FakeClient;
let store: MeetingStore;
const refusal = new RealtimeError("no", { kind: "permission" });

beforeEach(() => {
  vi.useFakeTimers();
  client = new FakeClient();
  store = meetingStore(client, "1");
});
afterEach(() => {
  vi.useRealTimers();
});

/** What the only reader of the meeting's topic is told. */
function listener() {
  const [one] = client.listeners.get("meeting/1") ?? [];
  if (!one) throw new Error("nobody reads the meeting");
  return one;
}

test.each(["ok", "gap", "live"] as const)("an error is over when the hub answers with %s", (verdict) => {
  store.subscribe(() => {});
  listener().onError?.(refusal);
  expect(store.getSnapshot().error).toBe(refusal);
  listener().onVerdict?.({ verdict, lost: null });
  expect(store.getSnapshot().error).toBeNull();
});

test("a meeting that is opened again is neither refused nor incomplete until the hub says so", () => {
  const leave = store.subscribe(() => {});
  listener().onVerdict?.({ verdict: "gap", lost: null });
  listener().onError?.(refusal);
  expect(store.getSnapshot()).toMatchObject({ error: refusal, incomplete: true });
  client.meeting("1", { attempt: 1 });
  leave();
  store.subscribe(() => {});
  expect(store.getSnapshot()).toMatchObject({ error: null, incomplete: false, offset: 1n });
});

test("a meeting is read from a snapshot: its keys leave out nothing that a late reader needs", () => {
  store.subscribe(() => {});
  expect(listener().start).toBe("snapshot");
});

test("a store is kept for a second after its last watcher, then dropped", () => {
  const leave = store.subscribe(() => {});
  leave();
  vi.advanceTimersByTime(999);
  expect(meetingStore(client, "1")).toBe(store);
  vi.advanceTimersByTime(1);
  expect(meetingStore(client, "1")).not.toBe(store);
});

test("a store that is watched again in time stays", () => {
  store.subscribe(() => {})();
  vi.advanceTimersByTime(500);
  const leave = store.subscribe(() => {});
  vi.advanceTimersByTime(5000);
  expect(meetingStore(client, "1")).toBe(store);
  leave();
  vi.advanceTimersByTime(1000);
  expect(meetingStore(client, "1")).not.toBe(store);
});

test("a store that is watched again after it was dropped is the shared one again", () => {
  store.subscribe(() => {})();
  vi.advanceTimersByTime(1000);
  store.subscribe(() => {});
  expect(meetingStore(client, "1")).toBe(store);
});

test("a store that is asked for and never watched is not kept", () => {
  vi.advanceTimersByTime(1000);
  expect(meetingStore(client, "1")).not.toBe(store);
});
