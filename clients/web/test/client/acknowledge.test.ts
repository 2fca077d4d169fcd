import { describe, expect, test } from "vitest";
import { Code } from "../../src/gen/google/rpc/code_pb.js";
import { ErrorReason } from "../../src/gen/shipspeak/realtime/v1/error_reason_pb.js";
import { ReceiptState } from "../../src/gen/shipspeak/realtime/v1/notification_pb.js";
import { content, hub, hubForEachTest, open } from "../support/rig.js";
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
});
