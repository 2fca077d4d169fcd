import { createRealtimeClient, type RealtimeClient, savedTopic } from "../../src/index.js";
import { databaseOf } from "../../src/persist/open.js";

/** One tab of an application, for tests that drive several: `window.tab`. */
export interface Tab {
  readonly client: RealtimeClient;
  /** What came on the topic, in order. */
  readonly texts: string[];
  /** When the latest of it came; milliseconds since 1970. */
  arrivedAt: number;
  signedOut: boolean;
  phase(): string;
  role(): string;
  /** Gives a draft to the outbox; resolves once it is kept. */
  queue(text: string, topic?: string): Promise<void>;
  /** How the outbox stands. */
  waiting(): number;
  /** Whether this tab is the one to show a toast. */
  claim(key: string): Promise<boolean>;
  /** The sum of the numbers on a topic, as it is kept in the browser. */
  sum(topic: string): { value(): number; status(): string; stored(): Promise<number | undefined> };
}

declare global {
  interface Window {
    startTab(options: { hub: string; identity: string; topic?: string }): Tab;
    tab: Tab;
  }
}

window.startTab = ({ hub, identity, topic = "meeting/1" }) => {
  const client = createRealtimeClient({ baseUrl: hub, identity, onSignOut: () => (tab.signedOut = true) });
  const texts: string[] = [];
  const tab: Tab = {
    client,
    texts,
    arrivedAt: 0,
    signedOut: false,
    phase: () => client.connection.getSnapshot().phase,
    role: () => client.tabs.getSnapshot().role,
    queue: async (text, to = topic) => {
      await client.outbox.add(to, {
        attributes: { text },
        payload: { case: "meeting", value: { attempt: 1 } },
      });
    },
    waiting: () => client.outbox.getSnapshot().entries.length,
    claim: (key) => client.claim(key),
    sum: (of) => {
      const store = savedTopic<number>(client, of, {
        initial: 0,
        version: 1,
        reduce: (sum, event) => sum + Number(event.content?.attributes["text"]),
      });
      store.subscribe(() => {});
      return {
        value: () => store.getSnapshot().state,
        status: () => store.getSnapshot().status,
        stored: async () => {
          const database = await databaseOf(client.scope);
          const kept = await database?.read<{ state: number } | undefined>("states", (all) => all.get(of));
          return kept?.state;
        },
      };
    },
  };
  client.topic(topic).subscribe({
    start: "earliest",
    onEvent: (event) => {
      texts.push(event.content?.attributes["text"] ?? "");
      tab.arrivedAt = Date.now();
    },
  });
  client.connect();
  window.tab = tab;
  return tab;
};
