import { expect, test } from "vitest";
import { collect, content, hub, hubForEachTest, open, TOPIC } from "../support/rig.js";

hubForEachTest();

test("a topic's state counts each event once, however many listeners there are", async () => {
  const client = open();
  const first = collect(client);
  const second = collect(client);
  client.connect();
  await first.has(0);
  for (const text of ["a", "b", "c"]) hub.publish(TOPIC, content(text));
  await Promise.all([first.has(3), second.has(3)]);
  const shown = client.topicState(TOPIC)?.getSnapshot();
  expect({ events: shown?.events, leftOut: shown?.leftOut, offset: shown?.offset }).toEqual({
    events: 3,
    leftOut: 0,
    offset: 3n,
  });
  client.close();
});

test("a topic's state counts what the hub left out for newer events", async () => {
  const client = open();
  const all = collect(client);
  client.connect();
  hub.publish(TOPIC, content("a"));
  await all.has(1);
  hub.log.store(TOPIC, content("b"));
  hub.log.store(TOPIC, content("c"));
  const run = hub.log.run(TOPIC, 1n);
  const thinned = { ...run, events: run.events?.slice(-1), conflated: 1 } as typeof run;
  hub.pushAll({ runs: [thinned] });
  await all.has(2);
  const shown = client.topicState(TOPIC)?.getSnapshot();
  expect({ events: shown?.events, leftOut: shown?.leftOut, offset: shown?.offset }).toEqual({
    events: 2,
    leftOut: 1,
    offset: 3n,
  });
  client.close();
});
