import { useConnection, useTopicState } from "@shipspeak/realtime/react";
import { useCallback, useEffect, useMemo, useState } from "react";
import type { Meeting } from "../backend.js";
import { useServices } from "../services.js";
import { LIST_TOPIC, merged, type Row, type Rows, rowReducer } from "./row.js";

const NO_ROWS: Rows = new Map();

export interface MeetingList {
  /** All meetings of the team, newest first, as they move. */
  readonly rows: readonly Row[];
  /** The back end's own list, for what the rows do not tell. */
  readonly meetings: readonly Meeting[];
  readonly refresh: () => void;
}

/**
 * The back end's list, read at the start and after each loss of the connection, and on top of it what the hub tells:
 * its rows are kept for a week, the back end's for ever.
 */
export function useMeetings(): MeetingList {
  const { backend } = useServices();
  const { state: live } = useTopicState(LIST_TOPIC, rowReducer, NO_ROWS);
  const [meetings, setMeetings] = useState<readonly Meeting[]>([]);
  const isLive = useConnection(({ phase }) => phase === "live");
  const refresh = useCallback(() => {
    // A back end that is away for a moment leaves the list as it was; the next change brings it up to date.
    backend.meetings().then(setMeetings, () => {});
  }, [backend]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a connection that is back is a reason to look again
  useEffect(refresh, [refresh, isLive]);
  const rows = useMemo(() => merged(meetings, live), [meetings, live]);
  return { rows, meetings, refresh };
}
