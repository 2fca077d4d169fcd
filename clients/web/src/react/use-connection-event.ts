import { useEffect } from "react";
import type { ConnectionSnapshot } from "../connection/snapshot.js";
import { type ConnectionEvent, connectionEvent } from "./connection-event.js";
import { useRealtime } from "./provider.js";
import { useLatestRef } from "./use-latest-ref.js";

/** Calls the newest `listener` when the connection is lost, restored, degraded, refused or given up. */
export function useConnectionEvent(
  listener: (event: ConnectionEvent, snapshot: ConnectionSnapshot) => void,
): void {
  const { connection } = useRealtime();
  const latest = useLatestRef(listener);
  useEffect(() => {
    let before = connection.getSnapshot();
    let told = false;
    return connection.subscribe(() => {
      const after = connection.getSnapshot();
      const event = connectionEvent(before, after, told);
      before = after;
      if (event === null) return;
      told = event !== "restored" && event !== "degraded";
      latest.current(event, after);
    });
  }, [connection, latest]);
}
