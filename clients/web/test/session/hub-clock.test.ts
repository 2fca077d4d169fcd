import { create } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { HubClock } from "../../src/session/hub-clock.js";
import { toTimestamp } from "../../src/time.js";

const at = (ms: number) => create(TimestampSchema, toTimestamp(ms));

test("until a hub has told its time, it is this machine's", () => {
  expect(new HubClock(() => 5000).now()).toBe(5000);
});

test("of what was heard in a session, what is furthest ahead holds", () => {
  const clock = new HubClock(() => 5000);
  clock.hear(at(9000), true);
  clock.hear(at(8700), false);
  expect(clock.now()).toBe(9000);
  clock.hear(at(9100), false);
  clock.hear(undefined, false);
  expect(clock.now()).toBe(9100);
});

test("a new session begins anew: the machine's clock may have been set", () => {
  const clock = new HubClock(() => 5000);
  clock.hear(at(9000), true);
  clock.hear(at(4000), true);
  expect(clock.now()).toBe(4000);
});
