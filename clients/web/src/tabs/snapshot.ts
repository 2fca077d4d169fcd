import { pushes } from "../connection/ladder.js";
import type { ConnectionSnapshot } from "../connection/snapshot.js";
import type { Store } from "../store.js";
import type { LeaderState } from "./messages.js";

/** No poll comes later than this after the one before it. */
export const POLL_BEAT_MS = 60_000;

/**
 * - `solo`: this tab has a connection of its own and shares nothing.
 * - `electing`: it is being found out who leads.
 * - `leader`: this tab has the browser's one connection, and relays to the others.
 * - `follower`: another tab leads, and news come from there.
 */
export type TabRole = "solo" | "electing" | "leader" | "follower";

/** What can be shown of how tabs share a connection; frozen, its identity changes only on change. */
export interface TabsSnapshot {
  readonly role: TabRole;
  /** How many tabs share the connection, this one included; 1 when it is alone. */
  readonly tabs: number;
}

export const SOLO: TabsSnapshot = Object.freeze({ role: "solo", tabs: 1 });
export const NOT_YET: TabsSnapshot = Object.freeze({ role: "electing", tabs: 1 });

/** Resolves when a tab has a role, or the signal comes. */
export function untilDecided(store: Store<TabsSnapshot>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (store.getSnapshot().role === "electing" && !signal.aborted) return;
      stop();
      signal.removeEventListener("abort", look);
      resolve();
    };
    const stop = store.subscribe(look);
    signal.addEventListener("abort", look);
    look();
  });
}

/** What a leader tells of itself; `beatMs` is what the hub's stream promises. */
export function leaderState(
  { phase, transport }: ConnectionSnapshot,
  { beatMs, ...more }: Pick<LeaderState, "beatMs" | "hidden" | "peers">,
): LeaderState {
  const polling = transport !== null && !pushes(transport);
  return { live: phase === "live", polling, transport, beatMs: polling ? POLL_BEAT_MS : beatMs, ...more };
}
