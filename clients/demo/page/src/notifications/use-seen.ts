import { useNotifications } from "@shipspeak/realtime/react";
import { useEffect, useState, useSyncExternalStore } from "react";
import { useMyTopics } from "./topics.js";

/**
 * Marks notifications as read that lead to what the person looks at. One that stays until it is acknowledged is gone
 * from all devices by that.
 */
export function useSeen(href: string | null): void {
  const { items, markRead } = useNotifications(useMyTopics());
  const isVisible = useSyncExternalStore(onVisibility, () => document.visibilityState === "visible");
  const [tries, setTries] = useState(0);
  const seen = isVisible
    ? items.filter((one) => !one.read && one.actions.some(({ url }) => url === href))
    : [];
  const keys = seen.map(({ key }) => key).join("\n");
  // biome-ignore lint/correctness/useExhaustiveDependencies: `keys` says what `seen` is; a failure is another try
  useEffect(() => {
    if (keys === "") return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    markRead(...seen).catch(() => {
      timer = setTimeout(() => setTries(tries + 1), AGAIN_MS);
    });
    return () => clearTimeout(timer);
  }, [keys, tries]);
}

const AGAIN_MS = 3000;

function onVisibility(changed: () => void): () => void {
  document.addEventListener("visibilitychange", changed);
  return () => document.removeEventListener("visibilitychange", changed);
}
