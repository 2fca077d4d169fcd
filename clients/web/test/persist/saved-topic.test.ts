import { expect, test, vi } from "vitest";
import type { Database } from "../../src/persist/database.js";
import { savedTopic } from "../../src/persist/saved-topic.js";
import { content, hubForEachTest, open, TOPIC } from "../support/rig.js";
import { until } from "../support/until.js";

const database = vi.hoisted(() => ({
  read: () => Promise.resolve(undefined),
  change: vi.fn(() => Promise.resolve()),
  clear: vi.fn(() => Promise.resolve()),
}));
vi.mock("../../src/persist/open.js", () => ({
  databaseOf: () => Promise.resolve(database as unknown as Database),
}));

hubForEachTest();

test("after signing out nothing is written down any more", async () => {
  const client = open();
  const store = savedTopic(client, TOPIC, { initial: 0, version: 1, reduce: (sum) => sum + 1 });
  const leave = store.subscribe(() => {});
  client.connect();
  await client.publish(TOPIC, content("a"));
  await vi.waitUntil(() => database.change.mock.calls.length > 0);
  await client.publish(TOPIC, content("b"));
  await until(store, ({ state, status }) => state === 2 && status === "live");
  const signingOut = client.signOut();
  const written = database.change.mock.calls.length;
  await signingOut;
  leave(); // writes at once what waits to be written
  expect(database.clear).toHaveBeenCalledWith("states");
  expect(database.change).toHaveBeenCalledTimes(written);
});
