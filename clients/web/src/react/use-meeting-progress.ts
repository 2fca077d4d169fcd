import { useMemo, useSyncExternalStore } from "react";
import { type MeetingSnapshot, type MeetingStore, meetingStore, NO_MEETING } from "../meeting/store.js";
import { useRealtime } from "./provider.js";

const EMPTY: MeetingStore = { getSnapshot: () => NO_MEETING, subscribe: () => () => {} };

/** Progress of one meeting from its beginning, shared by all components that ask for it; null = none. */
export function useMeetingProgress(meetingId: string | null): MeetingSnapshot {
  const client = useRealtime();
  const store = useMemo(
    () => (meetingId === null ? EMPTY : meetingStore(client, meetingId)),
    [client, meetingId],
  );
  return useSyncExternalStore(store.subscribe, store.getSnapshot, () => NO_MEETING);
}
