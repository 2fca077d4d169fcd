import { useSyncExternalStore } from "react";
import { SOLO, type TabRole } from "../tabs/snapshot.js";
import { useRealtime } from "./provider.js";

/** Whether this tab has the browser's one connection (`leader`), lives on another tab's (`follower`), or is alone. */
export function useTabRole(): TabRole {
  const { tabs } = useRealtime();
  return useSyncExternalStore(
    tabs.subscribe,
    () => tabs.getSnapshot().role,
    () => SOLO.role,
  );
}
