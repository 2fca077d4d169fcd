import { useEffect, useMemo, useSyncExternalStore } from "react";
import { NOBODY, type PresenceSnapshot, type PresenceState } from "../presence/state.js";
import type { Store } from "../store.js";
import { useRealtime } from "./provider.js";

const EMPTY: Store<PresenceSnapshot> = { getSnapshot: () => NOBODY, subscribe: () => () => {} };

/** What others see of this client; null leaves. */
export interface Me {
  readonly state: PresenceState;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Who is in a topic, while the component is mounted; null watches nothing. With `me` this client is seen there
 * itself, until the component goes or `me` is null. Two components that say different things of one topic overrule each other.
 */
export function usePresence(topic: string | null, me: Me | null = null): PresenceSnapshot {
  const client = useRealtime();
  const store = useMemo(() => (topic === null ? EMPTY : client.presence(topic)), [client, topic]);
  const seen = topic !== null && me !== null;
  // Metadata is a new object on each render; what counts is what it says.
  const said = seen ? JSON.stringify(me) : "";
  useEffect(() => {
    if (topic === null || said === "") return;
    const { state, metadata } = JSON.parse(said) as Me;
    client.setPresence(topic, state, metadata);
  }, [client, topic, said]);
  useEffect(() => {
    if (topic === null || !seen) return;
    return () => client.setPresence(topic, null);
  }, [client, topic, seen]);
  return useSyncExternalStore(store.subscribe, store.getSnapshot, () => NOBODY);
}
