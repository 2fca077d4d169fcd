import { useMemo, useSyncExternalStore } from "react";
import type { RealtimeError } from "../errors.js";
import type { Event } from "../gen/shipspeak/realtime/v1/event_pb.js";
import type { Start } from "../topics/types.js";
import { FramedStore } from "./framed-store.js";
import { useRealtime } from "./provider.js";
import { useConnection } from "./use-connection.js";
import { useLatestRef } from "./use-latest-ref.js";

export interface UseTopicStateOptions {
  /**
   * Where reading begins. Default `snapshot`: the latest event of each key, then what comes. Where a topic's namespace
   * allows no conflation, take `earliest`.
   */
  readonly start?: Start;
}

export interface TopicState<S> {
  readonly state: S;
  /** `restoring`: nothing is known yet. `stale`: so it was when news last came. `live`: so it is. */
  readonly status: "restoring" | "stale" | "live";
  /** The topic was refused. */
  readonly error: RealtimeError | null;
}

interface Made<S> {
  readonly state: S;
  readonly answered: boolean;
  readonly error: RealtimeError | null;
}

/**
 * A state made out of a topic's events, while the component is mounted; renders at most once in a frame. `reducer` is
 * pure and may be written in place; `initial` is taken from the first render of a topic. After a reset of the log it
 * begins anew.
 */
export function useTopicState<S>(
  topic: string | null,
  reducer: (state: S, event: Event) => S,
  initial: S,
  { start = "snapshot" }: UseTopicStateOptions = {},
): TopicState<S> {
  const client = useRealtime();
  const reducing = useLatestRef(reducer);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `initial` counts when a topic is first rendered.
  const store = useMemo(() => {
    const nothing: Made<S> = { state: initial, answered: false, error: null };
    if (topic === null) return { getSnapshot: () => nothing, subscribe: () => () => {} };
    return new FramedStore<Made<S>>(client, topic, start, {
      initial: nothing,
      events: (made, news) => {
        const state = news.reduce((now, event) => reducing.current(now, event), made.state);
        return Object.is(state, made.state) ? made : { ...made, state };
      },
      verdict: (made) => (made.answered && !made.error ? made : { ...made, answered: true, error: null }),
      error: (made, error) => ({ ...made, error }),
      again: (made) => ({ ...made, state: nothing.state }),
    });
  }, [client, topic, start, reducing]);
  const made = useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot);
  const isLive = useConnection((now) => now.phase === "live");
  const status = !made.answered ? "restoring" : isLive && !made.error ? "live" : "stale";
  return { state: made.state, status, error: made.error };
}
