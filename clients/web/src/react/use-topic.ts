import { useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import type { RealtimeClient } from "../client.js";
import type { Store } from "../store.js";
import { PENDING_TOPIC, type TopicListener, type TopicSnapshot } from "../topics/types.js";
import { useRealtime } from "./provider.js";

const EMPTY: Store<TopicSnapshot> = { getSnapshot: () => PENDING_TOPIC, subscribe: () => () => {} };

/**
 * Reads a topic while the component is mounted; null reads nothing. The listener may be a new object on each
 * render: only another name or start subscribes anew.
 */
export function useTopic(name: string | null, listener: TopicListener = {}): TopicSnapshot {
  const client = useRealtime();
  const latest = useRef(listener);
  const start = listener.start ?? "latest";
  useEffect(() => {
    latest.current = listener;
  });
  const store = useMemo(
    () =>
      name === null
        ? EMPTY
        : topicStore(client, name, {
            start,
            onEvent: (event) => latest.current.onEvent?.(event),
            onVerdict: (news) => latest.current.onVerdict?.(news),
            onError: (error) => latest.current.onError?.(error),
          }),
    [client, name, start],
  );
  return useSyncExternalStore(store.subscribe, store.getSnapshot, () => PENDING_TOPIC);
}

/** The state of one topic, which is read while something is subscribed to the store. */
function topicStore(client: RealtimeClient, name: string, listener: TopicListener): Store<TopicSnapshot> {
  return {
    getSnapshot: () => client.topicState(name)?.getSnapshot() ?? PENDING_TOPIC,
    subscribe: (changed) => {
      const leave = client.topic(name).subscribe(listener);
      const stop = client.topicState(name)?.subscribe(changed);
      return () => {
        stop?.();
        leave();
      };
    },
  };
}
