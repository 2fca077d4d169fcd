import type { RealtimeClient } from "../client.js";
import { Shared } from "../state/shared.js";
import { NOTHING_TOLD, type Told, TopicStore } from "../state/topic-store.js";
import type { Store } from "../store.js";
import { notificationsReducer, withoutTopic, withWords } from "./reducer.js";
import { NO_NOTIFICATIONS, type Notice, type NotificationsState, type ReceiptWord } from "./state.js";

export interface NotificationsSnapshot extends NotificationsState, Told {}

/** A person's notifications out of some topics; it reads them while something is subscribed to it. */
export interface NotificationStore extends Store<NotificationsSnapshot> {
  /**
   * Shows them as read at once, and says so to the hub. Fails with RealtimeError when the hub did not take it, and then
   * shows them as they were.
   */
  markRead(...notices: readonly Notice[]): Promise<void>;
  /** Puts them away, on every device of the user; otherwise as `markRead`. */
  dismiss(...notices: readonly Notice[]): Promise<void>;
}

export const NO_NOTIFICATIONS_TOLD: NotificationsSnapshot = Object.freeze({
  ...NO_NOTIFICATIONS,
  ...NOTHING_TOLD,
});

const shared = new Shared<Notices>();

/** The store of some topics, such as `user/ann` and `system/all`; the same one for everyone who asks with this client. */
export function notificationStore(client: RealtimeClient, topics: readonly string[]): NotificationStore {
  return shared.get(client, topics.join("\n"), (onUse) => new Notices(client, topics, onUse));
}

class Notices extends TopicStore<NotificationsState> implements NotificationStore {
  readonly #client: RealtimeClient;

  constructor(client: RealtimeClient, topics: readonly string[], onUse: (used: boolean) => void) {
    const definition = { topics, start: "earliest", initial: NO_NOTIFICATIONS } as const;
    super(client, { ...definition, reduce: notificationsReducer, without: withoutTopic }, onUse);
    this.#client = client;
  }

  markRead = (...notices: readonly Notice[]): Promise<void> => this.#say("markRead", "read", notices);

  dismiss = (...notices: readonly Notice[]): Promise<void> => this.#say("dismiss", "gone", notices);

  async #say(verb: "markRead" | "dismiss", word: ReceiptWord, notices: readonly Notice[]): Promise<void> {
    const before = this.getSnapshot();
    this.change((state) =>
      withWords(
        state,
        notices.map((one) => one.key),
        word,
      ),
    );
    const topics = new Set(notices.map((one) => one.topic));
    const said = await Promise.allSettled(
      [...topics].map((topic) => {
        const events = notices.filter((one) => one.topic === topic);
        return this.#client[verb](topic, ...events.map(({ id, offset }) => ({ id, offset })));
      }),
    );
    const failed = said.find((one) => one.status === "rejected");
    if (!failed) return;
    this.change((state) => undone(state, before, notices));
    throw failed.reason;
  }
}

/** These notices as they were before. */
function undone(
  now: NotificationsState,
  before: NotificationsState,
  notices: readonly Notice[],
): NotificationsState {
  const keys = new Set(notices.map((one) => one.key));
  const receipts = new Map(now.receipts);
  for (const key of keys) {
    const word = before.receipts.get(key);
    if (word) receipts.set(key, word);
    else receipts.delete(key);
  }
  const others = now.items.filter((one) => !keys.has(one.key));
  const items = [...others, ...before.items.filter((one) => keys.has(one.key))];
  items.sort((a, b) => (b.publishedAt ?? 0) - (a.publishedAt ?? 0));
  return { ...now, receipts, items, unread: items.filter((one) => !one.read).length };
}
