import { describe, expect, test } from "vitest";
import { Code } from "../../src/gen/google/rpc/code_pb.js";
import { ErrorReason } from "../../src/gen/shipspeak/realtime/v1/error_reason_pb.js";
import type { Event } from "../../src/gen/shipspeak/realtime/v1/event_pb.js";
import { ReceiptState } from "../../src/gen/shipspeak/realtime/v1/notification_pb.js";
import { content, hub, hubForEachTest, open, TOPIC } from "../support/rig.js";
import { until } from "../support/until.js";

const INBOX = "user/ann";

hubForEachTest();

describe("acknowledging events of one's own topic", () => {
  test("is stored as receipts, which come like any event", async () => {
    const client = open({ deviceId: "phone" });
    const receipts: [string, ReceiptState, string][] = [];
    client.topic(INBOX).subscribe({
      start: "earliest",
      onEvent: (event) => {
        const payload = event.content?.payload;
        if (payload?.case !== "receipt") return;
        receipts.push([payload.value.eventId, payload.value.state, payload.value.deviceId]);
      },
    });
    client.connect();
    hub.publish(INBOX, content("one"), "one");
    hub.publish(INBOX, content("two"), "two");
    await client.markRead(INBOX, "one", "two");
    await client.dismiss(INBOX, "one");
    await until(client.connection, () => receipts.length === 3);
    expect(receipts).toEqual([
      ["one", ReceiptState.READ, "phone"],
      ["two", ReceiptState.READ, "phone"],
      ["one", ReceiptState.DISMISSED, "phone"],
    ]);
  });

  test("names an event by its offset where it has it, as ids are unique per publisher only", async () => {
    const client = open();
    const about: bigint[] = [];
    client.topic(INBOX).subscribe({
      start: "earliest",
      onEvent: async (event) => {
        const payload = event.content?.payload;
        if (payload?.case === "receipt") about.push(payload.value.offset);
        else if (event.id === "one") await client.markRead(INBOX, event);
      },
    });
    client.connect();
    hub.publish(INBOX, content("two"), "two");
    hub.publish(INBOX, content("one"), "one");
    await until(client.connection, () => about.length === 1);
    expect(about).toEqual([2n]);
    await expect(client.dismiss(INBOX, { id: "one", offset: 1n })).rejects.toMatchObject({
      reason: ErrorReason.EVENT_UNKNOWN,
    });
  });

  test("fails with what the hub said of one of them, and does the others", async () => {
    const client = open();
    hub.publish(INBOX, content("one"), "one");
    await expect(client.markRead(INBOX, "nobody", "one")).rejects.toMatchObject({
      kind: "refused",
      reason: ErrorReason.EVENT_UNKNOWN,
    });
    expect(hub.log.head(INBOX)).toBe(2n);
  });

  test("fails when the call does, and when the client is closed", async () => {
    const client = open();
    hub.refuseCall = () => ({ code: Code.PERMISSION_DENIED, message: "no" });
    await expect(client.dismiss(INBOX, "one")).rejects.toMatchObject({ kind: "permission" });
    client.close();
    await expect(client.dismiss(INBOX, "one")).rejects.toMatchObject({ kind: "aborted" });
  });

  test("says which device was first of an event that is there until it is acknowledged", async () => {
    const [phone, laptop] = [open({ deviceId: "phone" }), open({ deviceId: "laptop" })];
    hub.publish(INBOX, { ...content("call"), untilAcknowledged: true }, "call");
    expect(await phone.dismiss(INBOX, "call")).toEqual([true]);
    expect(await laptop.markRead(INBOX, "call")).toEqual([false]);
    expect(await phone.dismiss(INBOX, "call")).toEqual([true]);
    const seen: unknown[] = [];
    laptop.topic(INBOX).subscribe({
      start: "earliest",
      onEvent: ({ content: told }) => {
        seen.push(told?.payload.case === "receipt" ? told.payload.value.state : told);
      },
    });
    laptop.connect();
    await until(laptop.connection, () => seen.length === 1);
    expect(seen).toEqual([ReceiptState.WITHDRAWN]);
    expect(laptop.connection.getSnapshot().counters.leftOut).toBe(1);
  });

  test("keeps what is said of an event for many in the user's own topic", async () => {
    const client = open({ deviceId: "phone" });
    const told: [string, bigint, ReceiptState][] = [];
    client.topic(INBOX).subscribe({
      start: "earliest",
      onEvent: ({ content: said }) => {
        if (said?.payload.case !== "receipt") return;
        const { topic, offset, state } = said.payload.value;
        told.push([topic, offset, state]);
      },
    });
    client.connect();
    hub.publish("system/all", content("maintenance"), "m");
    await client.dismiss("system/all", "m");
    await until(client.connection, () => told.length === 1);
    expect(told).toEqual([["system/all", 1n, ReceiptState.DISMISSED]]);
    expect(hub.log.head("system/all")).toBe(1n);
  });

  test("takes back what this user has published", async () => {
    const client = open();
    const seen: Event[] = [];
    client.topic(TOPIC).subscribe({ start: "earliest", onEvent: (event) => seen.push(event) });
    client.connect();
    const receipt = await client.publish(TOPIC, content("oops"), { id: "oops" });
    await until(client.connection, () => seen.length === 1);
    await client.withdraw(TOPIC, receipt);
    expect(hub.log.content(TOPIC, receipt.offset)).toBeNull();
    await until(client.connection, () => seen.length === 2);
    expect(seen[1]?.content?.payload).toMatchObject({
      case: "receipt",
      value: { eventId: "oops", offset: receipt.offset, state: ReceiptState.WITHDRAWN },
    });
    await expect(client.withdraw(TOPIC, "unknown")).rejects.toMatchObject({
      reason: ErrorReason.EVENT_UNKNOWN,
    });
  });
});
