import { afterEach, beforeEach, expect } from "vitest";
import { createRealtimeClient, type RealtimeClient, type RealtimeClientOptions } from "../../src/client.js";
import { TestEnvironment } from "./environment.js";
import { TestHub } from "./test-hub.js";
import { until } from "./until.js";

export const TOPIC = "meeting/42";
/** Fast, but no verdict that a stream is blocked because of a slow machine: tests about that set their own times. */
export const FAST = {
  parallelPollMs: 5000,
  welcomeMs: 10_000,
  probeMinMs: 40,
  probeSettleMs: 20,
  pollWaitMs: 2000,
};

/** The hub and the surroundings of the running test. */
export let hub: TestHub;
export let environment: TestEnvironment;
export let url: string;
const clients: RealtimeClient[] = [];

/** Gives each test of the file a hub of its own, and ends what the test has opened. */
export function hubForEachTest(): void {
  beforeEach(async () => {
    hub = new TestHub();
    environment = new TestEnvironment();
    url = await hub.start();
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await hub.kill();
    expect(environment.reported).toEqual([]);
  });
}

export function content(text: string): { attributes: Record<string, string> } {
  return { attributes: { text } };
}

export function open(options: Partial<RealtimeClientOptions> = {}): RealtimeClient {
  const client = createRealtimeClient({ baseUrl: url, environment, timing: FAST, ...options });
  clients.push(client);
  return client;
}

/** Reads the topic from its beginning; the list fills as events come. */
export function collect(client: RealtimeClient, topic = TOPIC) {
  const texts: string[] = [];
  const verdicts: string[] = [];
  const errors: string[] = [];
  client.topic(topic).subscribe({
    start: "earliest",
    onEvent: (event) => texts.push(event.content?.attributes["text"] ?? ""),
    onVerdict: (news) => verdicts.push(news.verdict),
    onError: (error) => errors.push(error.kind),
  });
  const has = (count: number) => until(client.connection, () => texts.length >= count);
  return { texts, verdicts, errors, has };
}
