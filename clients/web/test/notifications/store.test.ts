import { expect, test } from "vitest";
import { RealtimeError } from "../../src/errors.js";
import {
  NotificationKind,
  ReceiptState,
  Severity,
} from "../../src/gen/shipspeak/realtime/v1/notification_pb.js";
import { notificationStore } from "../../src/notifications/store.js";
import { FakeClient } from "../support/fake-client.js";

const TOPICS = ["user/ann", "system/all"];

function open() {
  const client = new FakeClient();
  const store = notificationStore(client, TOPICS);
  const stop = store.subscribe(() => {});
  const notify = (title: string, topic = "user/ann") =>
    client.event(topic, {
      case: "notification",
      value: { kind: NotificationKind.FEATURE, severity: Severity.WARNING, title },
    });
  const receipt = (eventId: string, offset: bigint, state: ReceiptState, more = {}) =>
    client.event("user/ann", { case: "receipt", value: { eventId, offset, state, ...more } });
  const titles = () => store.getSnapshot().items.map((one) => one.title);
  return { client, store, stop, notify, receipt, titles };
}

test("notifications of all topics come into one list, and are counted", () => {
  const { store, notify, titles } = open();
  notify("first");
  notify("for all", "system/all");
  expect(titles()).toEqual(["for all", "first"]);
  expect(store.getSnapshot()).toMatchObject({ unread: 2 });
  expect(store.getSnapshot().items[0]).toMatchObject({
    kind: "feature",
    severity: "warning",
    topic: "system/all",
  });
});

test("C1: what was read or put away on another device is so here", () => {
  const { store, notify, receipt, titles } = open();
  const one = notify("one");
  const two = notify("two");
  receipt(one.id, one.offset, ReceiptState.READ);
  expect(store.getSnapshot()).toMatchObject({ unread: 1 });
  receipt(two.id, two.offset, ReceiptState.DISMISSED);
  expect(titles()).toEqual(["one"]);
  receipt(one.id, one.offset, ReceiptState.WITHDRAWN);
  expect(titles()).toEqual([]);
});

test("a receipt that comes first holds for the notification behind it", () => {
  const { client, notify, receipt, titles } = open();
  receipt("id-2", 2n, ReceiptState.DISMISSED);
  notify("put away before");
  expect(titles()).toEqual([]);
  expect(client.watching("user/ann")).toBe(1);
});

test("a receipt of the same offset in another topic is about another event", () => {
  const { store, notify, receipt } = open();
  const one = notify("for all", "system/all");
  receipt(one.id, one.offset, ReceiptState.READ);
  expect(store.getSnapshot().unread).toBe(1);
  receipt(one.id, one.offset, ReceiptState.READ, { topic: "system/all" });
  expect(store.getSnapshot().unread).toBe(0);
});

test("markRead and dismiss show at once, and tell the hub, by topic", async () => {
  const { client, store, notify, titles } = open();
  notify("one");
  notify("for all", "system/all");
  const [all, one] = store.getSnapshot().items;
  if (!all || !one) throw new Error("two are there");
  const said = store.markRead(all, one);
  expect(store.getSnapshot().unread).toBe(0);
  await said;
  await store.dismiss(one);
  expect(titles()).toEqual(["for all"]);
  expect(client.calls).toEqual(["markRead system/all 2", "markRead user/ann 1", "dismiss user/ann 1"]);
});

test("what the hub did not take is shown as it was", async () => {
  const { client, store, notify, titles } = open();
  notify("one");
  const [one] = store.getSnapshot().items;
  if (!one) throw new Error("one is there");
  const refusal = new RealtimeError("no", { kind: "network" });
  client.acknowledging = () => Promise.reject(refusal);
  const said = store.dismiss(one);
  expect(titles()).toEqual([]);
  await expect(said).rejects.toBe(refusal);
  expect(titles()).toEqual(["one"]);
  expect(store.getSnapshot().unread).toBe(1);
});

test("a reset of one topic takes away what came from it alone", () => {
  const { client, notify, titles } = open();
  notify("mine");
  notify("for all", "system/all");
  for (const listener of client.listeners.get("user/ann") ?? [])
    listener.onVerdict?.({ verdict: "reset", lost: null });
  expect(titles()).toEqual(["for all"]);
});

test("the topics are read while somebody looks, and one store serves all who do", () => {
  const { client, store, stop } = open();
  expect(notificationStore(client, TOPICS)).toBe(store);
  stop();
  expect(TOPICS.map((topic) => client.watching(topic))).toEqual([0, 0]);
});
