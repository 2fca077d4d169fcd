import { expect, test } from "vitest";
import { hubForEachTest, open } from "../support/rig.js";
import { until } from "../support/until.js";

hubForEachTest();

test("a closed client does not connect again", async () => {
  const used = open();
  used.connect();
  await until(used.connection, ({ phase }) => phase === "live");
  for (const client of [used, open()]) {
    client.close();
    client.connect();
    expect(client.connection.getSnapshot().phase).toBe("closed");
  }
});
