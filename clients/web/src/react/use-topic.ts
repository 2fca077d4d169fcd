import { useEffect, useRef, useState } from "react";
import type { TopicListener, TopicSnapshot } from "../topics/types.js";
import { useRealtime } from "./provider.js";

const NOTHING: TopicSnapshot = Object.freeze({ status: "pending", offset: null, error: null });

/**
 * Reads a topic while the component is mounted; null reads nothing. The listener may be a new object on each
 * render: only another name or start subscribes anew.
 */
export function useTopic(name: string | null, listener: TopicListener = {}): TopicSnapshot {
  const client = useRealtime();
  const latest = useRef(listener);
  const [snapshot, setSnapshot] = useState(NOTHING);
  const start = listener.start ?? "latest";
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => {
    if (name === null) {
      setSnapshot(NOTHING);
      return;
    }
    const leave = client.topic(name).subscribe({
      start,
      onEvent: (event) => latest.current.onEvent?.(event),
      onVerdict: (news) => latest.current.onVerdict?.(news),
      onError: (error) => latest.current.onError?.(error),
    });
    const state = client.topicState(name);
    const show = () => setSnapshot(state?.getSnapshot() ?? NOTHING);
    const stop = state?.subscribe(show);
    show();
    return () => {
      stop?.();
      leave();
    };
  }, [client, name, start]);
  return snapshot;
}
