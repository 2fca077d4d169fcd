import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import type { RealtimeError } from "../errors.js";
import type { Notice } from "../notifications/state.js";
import { NO_NOTIFICATIONS_TOLD, type NotificationStore, notificationStore } from "../notifications/store.js";
import { useRealtime } from "./provider.js";

const nothing = () => Promise.resolve();
const EMPTY: NotificationStore = {
  getSnapshot: () => NO_NOTIFICATIONS_TOLD,
  subscribe: () => () => {},
  markRead: nothing,
  dismiss: nothing,
};

/** The longest wait for an expiry: a browser's timer cannot wait for more than 2^31 ms, and drifts. */
const LONGEST_MS = 86_400_000;

export interface UseNotificationsOptions {
  /** Which are listed and counted; a function written in place is fine. */
  readonly filter?: (notice: Notice) => boolean;
}

export interface Notifications {
  /** Newest first; without those that were put away, withdrawn or have expired. */
  readonly items: readonly Notice[];
  readonly unread: number;
  readonly error: RealtimeError | null;
  /** Shows them as read at once, on all of the user's devices. Fails with RealtimeError, and shows them as before. */
  readonly markRead: (...notices: readonly Notice[]) => Promise<void>;
  /** Puts them away, likewise. */
  readonly dismiss: (...notices: readonly Notice[]) => Promise<void>;
}

/** A person's notifications out of some topics, such as `["user/ann", "system/all"]`; null reads nothing. */
export function useNotifications(
  topics: readonly string[] | null,
  { filter }: UseNotificationsOptions = {},
): Notifications {
  const client = useRealtime();
  const names = topics?.join("\n") ?? "";
  const store = useMemo(
    () => (names === "" ? EMPTY : notificationStore(client, names.split("\n"))),
    [client, names],
  );
  const { items: all, error } = useSyncExternalStore(
    store.subscribe,
    store.getSnapshot,
    () => NO_NOTIFICATIONS_TOLD,
  );
  const now = useExpiry(all);
  const items = all.filter((one) => (one.expiresAt ?? Infinity) > now && (filter?.(one) ?? true));
  const unread = items.filter((one) => !one.read).length;
  return { items, unread, error, markRead: store.markRead, dismiss: store.dismiss };
}

/** A moment that moves on when the next of them expires. */
function useExpiry(items: readonly Notice[]): number {
  const [now, setNow] = useState(0);
  const next = items.reduce((least, { expiresAt }) => {
    return expiresAt !== null && expiresAt > now ? Math.min(least, expiresAt) : least;
  }, Infinity);
  useEffect(() => {
    if (next === Infinity) return;
    let timer: ReturnType<typeof setTimeout>;
    const wait = () => {
      timer = setTimeout(look, Math.min(LONGEST_MS, Math.max(0, next - Date.now())));
    };
    // A timer may fire early: before it is due, nothing would change, and nobody would look again.
    const look = () => (Date.now() < next ? wait() : setNow(Date.now()));
    wait();
    return () => clearTimeout(timer);
  }, [next]);
  return now;
}
