import { onTestFinished } from "vitest";
import { commands } from "vitest/browser";
import type { HubOptions } from "./hub-process.js";

/** A real hub for a test in a browser. */
export interface RealHub {
  /** Give it to `createRealtimeClient` as `baseUrl`. */
  readonly baseUrl: string;
  kill(): Promise<void>;
  /** On the same port and data. */
  restart(): Promise<void>;
  /** On the same port, with nothing stored. */
  empty(): Promise<void>;
  /** Its metrics, as text. */
  figures(): Promise<string>;
  /** Publishes one event by the hub's JSON door; fails unless it was taken. */
  publish(topic: string, content: object, id?: string): Promise<void>;
}

/** Starts a hub for the running test; it is ended when the test is over. */
export async function realHub(options: HubOptions = {}): Promise<RealHub> {
  const { id, http } = await commands.startHub(location.origin, options);
  onTestFinished(() => commands.stopHub(id), 60_000);
  return {
    baseUrl: http,
    kill: () => commands.killHub(id),
    restart: () => commands.restartHub(id),
    empty: () => commands.emptyHub(id),
    figures: () => commands.hubFigures(id),
    publish: async (topic, content, eventId = crypto.randomUUID()) => {
      const answer = await fetch(`${http}/v1/publish`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ drafts: [{ id: eventId, topic, content }] }),
      });
      const told = (await answer.json()) as { results?: { outcome?: string }[] };
      const outcome = told.results?.[0]?.outcome ?? "";
      if (!["OUTCOME_STORED", "OUTCOME_ACCEPTED"].includes(outcome)) throw new Error(JSON.stringify(told));
    },
  };
}
