import { describe, expect, test } from "vitest";
import { content, hub, hubForEachTest, open, TOPIC } from "../support/rig.js";

hubForEachTest();

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
