import { useCallback, useEffect, useState } from "react";
import type { Meeting } from "./backend.js";
import { useServices } from "./services.js";

const EVERY_MS = 5000;

/** The back end's list of meetings, fresh at each change that this page knows of, and every few seconds while visible. */
export function useMeetings(): { readonly meetings: readonly Meeting[]; readonly refresh: () => void } {
  const { backend } = useServices();
  const [meetings, setMeetings] = useState<readonly Meeting[]>([]);
  const refresh = useCallback(() => {
    // A back end that is away for a moment leaves the list as it was; the next round brings it up to date.
    backend.meetings().then(setMeetings, () => {});
  }, [backend]);
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === "visible") refresh();
    };
    look();
    const timer = setInterval(look, EVERY_MS);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [refresh]);
  return { meetings, refresh };
}
