import { expect, test } from "vitest";
import { createRealtimeClient } from "../../src/client.js";
import { realHub } from "../support/real-hub.js";
import { until } from "../support/until.js";

const news = (text: string) => ({
  attributes: { text },
  meeting: { attempt: 1, upload: { sentBytes: "1" } },
});

test("K2: a browser reads a real hub's events, through a kill of the hub, each once and in order", async () => {
  const hub = await realHub();
  const client = createRealtimeClient({ baseUrl: hub.baseUrl });
  const seen: string[] = [];
  client.topic("meeting/1").subscribe({
    start: "earliest",
    onEvent: (event) => seen.push(event.content?.attributes["text"] ?? ""),
  });
  client.connect();
  await until(client.connection, ({ phase }) => phase === "live");
  await hub.publish("meeting/1", news("a"));
  await until(client.connection, () => seen.length === 1);
  await hub.restart();
  await hub.publish("meeting/1", news("b"));
  const { counters } = await until(client.connection, () => seen.length === 2);
  expect(seen).toEqual(["a", "b"]);
  expect(counters).toMatchObject({ events: 2, gaps: 0, resets: 0 });
  client.close();
});
