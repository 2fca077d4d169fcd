import { describe, expect, test, vi } from "vitest";
import type { RealtimeError } from "../../src/errors.js";
import { Code } from "../../src/gen/google/rpc/code_pb.js";
import { ErrorReason } from "../../src/gen/shipspeak/realtime/v1/error_reason_pb.js";
import { content, environment, hub, hubForEachTest, open, TOPIC } from "../support/rig.js";

hubForEachTest();

const LATE_MS = 1_000_000;

/** Holds timers of LATE_MS; the result lets them go. */
function timeIsUp(): () => void {
  const schedule = environment.schedule;
  const held: (() => void)[] = [];
  environment.schedule = (task, ms) => {
    if (ms === LATE_MS) held.push(task);
    return ms === LATE_MS ? () => {} : schedule(task, ms);
  };
  return () => {
    for (const task of held.splice(0)) task();
  };
}

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

  test("keeps the order of the calls on a topic while the first one is repeated", async () => {
    const client = open();
    let refusals = 1;
    hub.refuseCall = () => (refusals-- > 0 ? { code: Code.UNAVAILABLE, message: "once" } : null);
    const both = [client.publish(TOPIC, content("first")), client.publish(TOPIC, content("second"))];
    const offsets = (await Promise.all(both)).map((receipt) => receipt.offset);
    expect(hub.log.texts(TOPIC)).toEqual(["first", "second"]);
    expect(offsets).toEqual([1n, 2n]);
  });

  test("goes on in a topic after a draft that was refused", async () => {
    const client = open();
    let refusals = 1;
    hub.refuseCall = () => (refusals-- > 0 ? { code: Code.PERMISSION_DENIED, message: "no" } : null);
    const first = client.publish(TOPIC, content("first"));
    const second = client.publish(TOPIC, content("second"));
    await expect(first).rejects.toMatchObject({ kind: "permission" });
    expect((await second).offset).toBe(1n);
  });

  test("fails in its own time while a draft before it is being tried, and is not sent later", async () => {
    await hub.kill();
    const client = open();
    const first = client.publish(TOPIC, content("first"));
    const second = client.publish(TOPIC, content("second"), { timeoutMs: 50 });
    await expect(second).rejects.toMatchObject({ kind: "timeout" });
    await hub.start();
    await first;
    await client.publish(TOPIC, content("third"));
    expect(hub.log.texts(TOPIC)).toEqual(["first", "third"]);
  });

  test.each(["cut", "held"] as const)(
    "says that the outcome is not known when the answer is %s, and whose id to publish again with",
    async (publishAnswer) => {
      hub.publishAnswer = publishAnswer;
      const late = timeIsUp();
      const client = open();
      const lost = client.publish(TOPIC, content("a"), { timeoutMs: LATE_MS });
      await vi.waitUntil(() => hub.log.texts(TOPIC).length === 1);
      late();
      const error: RealtimeError = await lost.then(
        () => null,
        (thrown) => thrown,
      );
      expect(error).toMatchObject({ kind: "unknown", reason: ErrorReason.OUTCOME_UNKNOWN, retryable: false });
      hub.publishAnswer = "sent";
      const receipt = await client.publish(TOPIC, content("a"), { id: error.id });
      expect(receipt).toEqual({ id: error.id, outcome: "stored", duplicate: true, offset: 1n });
      expect(hub.log.texts(TOPIC)).toEqual(["a"]);
    },
  );

  test("says that it was not sent when no token came in time", async () => {
    const client = open({ getToken: () => new Promise<string>(() => {}) });
    const publishing = client.publish(TOPIC, content("a"), { id: "one", timeoutMs: 30 });
    await expect(publishing).rejects.toMatchObject({ kind: "timeout", reason: 0, id: "one" });
    expect(hub.calls).toEqual([]);
  });

  test("a refusal names the draft", async () => {
    hub.refuse = { code: Code.PERMISSION_DENIED, message: "no" };
    const publishing = open().publish(TOPIC, content("a"), { id: "one" });
    await expect(publishing).rejects.toMatchObject({ kind: "permission", id: "one" });
  });

  test("a topic does not wait for another one", async () => {
    const client = open();
    let refusals = 1;
    hub.refuseCall = () => (refusals-- > 0 ? { code: Code.UNAVAILABLE, message: "once" } : null);
    const ended: string[] = [];
    const slow = client.publish(TOPIC, content("a")).then(() => ended.push("slow"));
    await vi.waitUntil(() => refusals === 0);
    const quick = client.publish("meeting/7", content("b")).then(() => ended.push("quick"));
    await Promise.all([slow, quick]);
    expect(ended).toEqual(["quick", "slow"]);
  });

  test("goes once more with a new token when the one at hand is refused", async () => {
    const reasons: string[] = [];
    const client = open({
      getToken: ({ reason }) => {
        reasons.push(reason);
        return `t${reasons.length}`;
      },
    });
    await client.publish(TOPIC, content("a"));
    hub.refuseCall = (_name, token) =>
      token === "Bearer t1" ? { code: Code.UNAUTHENTICATED, message: "old" } : null;
    expect((await client.publish(TOPIC, content("b"))).offset).toBe(2n);
    expect(reasons).toEqual(["initial", "rejected"]);
  });

  test("closing the client ends what is under way, what waits, and what would come", async () => {
    hub.publishAnswer = "held";
    const client = open();
    const sent = client.publish(TOPIC, content("sent"), { id: "sent" });
    const waits = client.publish(TOPIC, content("waits"), { id: "waits" });
    await vi.waitUntil(() => hub.log.texts(TOPIC).length === 1);
    client.close();
    const { OUTCOME_UNKNOWN, UNSPECIFIED } = ErrorReason;
    await expect(sent).rejects.toMatchObject({ kind: "aborted", reason: OUTCOME_UNKNOWN, id: "sent" });
    await expect(waits).rejects.toMatchObject({ kind: "aborted", reason: UNSPECIFIED, id: "waits" });
    await expect(client.publish(TOPIC, content("late"))).rejects.toMatchObject({ kind: "aborted" });
    expect(hub.calls).toEqual(["Publish"]);
    expect(hub.log.texts(TOPIC)).toEqual(["sent"]);
  });

  test("closing the client ends the wait between two tries", async () => {
    hub.refuse = { code: Code.UNAVAILABLE, message: "not now" };
    const client = open();
    const publishing = client.publish(TOPIC, content("a"));
    await vi.waitUntil(() => hub.calls.length === 1);
    client.close();
    await expect(publishing).rejects.toMatchObject({ kind: "aborted" });
  });

  test("fails when the new token is refused too", async () => {
    let tokens = 0;
    const client = open({ getToken: () => `t${++tokens}` });
    hub.refuse = { code: Code.UNAUTHENTICATED, message: "no" };
    await expect(client.publish(TOPIC, content("a"))).rejects.toMatchObject({ kind: "auth" });
    expect(hub.tokens).toEqual(["Bearer t1", "Bearer t2"]);
  });
});
