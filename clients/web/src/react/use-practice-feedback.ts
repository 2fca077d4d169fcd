import { useMemo, useSyncExternalStore } from "react";
import { NO_PRACTICE, type PracticeSnapshot, type PracticeStore, practiceStore } from "../practice/store.js";
import { useRealtime } from "./provider.js";

const EMPTY: PracticeStore = { getSnapshot: () => NO_PRACTICE, subscribe: () => () => {} };

/** Hints, scores, milestones and figures of one practice session, shared by all components that ask for it; null = none. */
export function usePracticeFeedback(sessionId: string | null): PracticeSnapshot {
  const client = useRealtime();
  const store = useMemo(
    () => (sessionId === null ? EMPTY : practiceStore(client, sessionId)),
    [client, sessionId],
  );
  return useSyncExternalStore(store.subscribe, store.getSnapshot, () => NO_PRACTICE);
}
