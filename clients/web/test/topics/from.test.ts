import { expect, test } from "vitest";
import type { Position } from "../../src/topics/position.js";
import { collect, content, hub, hubForEachTest, open, TOPIC } from "../support/rig.js";
import { until } from "../support/until.js";

hubForEachTest();

test("a listener that names its place gets what came after it, whether the topic is open or not", async () => {
  for (const text of ["a", "b", "c"]) hub.publish(TOPIC, content(text));
  const from = { epoch: hub.log.epoch, offset: 1n, cursor: hub.log.cursor(1n) };
  for (const isOpen of [false, true]) {
    const client = open();
    const all = isOpen ? collect(client) : null;
    client.connect();
    await until(client.connection, (now) => now.phase === "live");
    await all?.has(3);
    const texts: string[] = [];
    const places: Position[] = [];
    client.topic(TOPIC).subscribe({
      from,
      onEvent: (event) => texts.push(event.content?.attributes["text"] ?? ""),
      onPosition: (position) => places.push(position),
    });
    await until(client.connection, () => texts.length >= 2);
    expect(texts).toEqual(["b", "c"]);
    expect(places.at(-1)?.offset).toBe(3n);
    client.close();
  }
});

test("a late listener that has read ahead of the topic gets nothing twice", async () => {
  const client = open();
  const first = collect(client);
  client.connect();
  await until(client.connection, (now) => now.phase === "live");
  hub.publish(TOPIC, content("a"));
  await first.has(1);
  hub.log.store(TOPIC, content("b")); // in the log, and not on the stream yet
  const late = collect(client);
  await late.has(2);
  hub.pushAll({ runs: [hub.log.run(TOPIC, 1n)] });
  hub.publish(TOPIC, content("c"));
  await late.has(3);
  await first.has(3);
  expect(late.texts).toEqual(["a", "b", "c"]);
});
