import { useMemo, useSyncExternalStore } from "react";
import { type SavedSnapshot, type SavedTopicOptions, savedTopic } from "../persist/saved-topic.js";
import type { Store } from "../store.js";
import { onNextFrame } from "./frames.js";
import { useRealtime } from "./provider.js";
import { useLatestRef } from "./use-latest-ref.js";

/**
 * A topic's state that is kept in the browser with its place: after a reload it is there at once (`stale`), and goes on
 * from there. While mounted; renders at most once in a frame. `reduce` may be written in place; change `version` with it.
 * `initial` is taken from the first render of a topic and a version. A client without an identity keeps nothing.
 */
export function useSavedState<S>(
  topic: string | null,
  { initial, reduce, version, start }: SavedTopicOptions<S>,
): SavedSnapshot<S> {
  const client = useRealtime();
  const reducing = useLatestRef(reduce);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `initial` counts when a topic is first rendered.
  const store = useMemo(() => {
    const nothing: SavedSnapshot<S> = { state: initial, status: "restoring", incomplete: false, error: null };
    if (topic === null) return { getSnapshot: () => nothing, subscribe: () => () => {} };
    const options = { initial, version, ...(start ? { start } : {}) };
    return inFrames(
      savedTopic<S>(client, topic, { ...options, reduce: (state, event) => reducing.current(state, event) }),
    );
  }, [client, topic, version, start, reducing]);
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot);
}

/** The same for one subscriber, which is told at most once in a frame. */
function inFrames<T>(store: Store<T>): Store<T> {
  let shown = store.getSnapshot();
  return {
    getSnapshot: () => shown,
    subscribe: (listener) => {
      let left = false;
      const show = () => {
        const next = store.getSnapshot();
        if (left || Object.is(next, shown)) return;
        shown = next;
        listener();
      };
      const stop = store.subscribe(() => onNextFrame(show));
      onNextFrame(show); // it may have changed before
      return () => {
        left = true;
        stop();
      };
    },
  };
}
