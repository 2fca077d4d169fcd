import { useCallback, useRef, useSyncExternalStore } from "react";
import { type ConnectionSnapshot, IDLE_SNAPSHOT } from "../connection/snapshot.js";
import { useRealtime } from "./provider.js";

/** The connection's state; renders again on each change of it. */
export function useConnection(): ConnectionSnapshot;
/** A part of the connection's state; renders again only when that part changes (by Object.is). */
export function useConnection<T>(selector: (snapshot: ConnectionSnapshot) => T): T;
export function useConnection<T>(selector?: (snapshot: ConnectionSnapshot) => T): T | ConnectionSnapshot {
  const { connection } = useRealtime();
  const chosen = useRef<{ from: ConnectionSnapshot; by: unknown; value: T | ConnectionSnapshot } | null>(
    null,
  );
  const select = useCallback(
    (from: ConnectionSnapshot) => {
      // A selector may build a new object each time; asked twice about the same snapshot it must answer the same.
      if (chosen.current?.from !== from || chosen.current.by !== selector) {
        chosen.current = { from, by: selector, value: selector ? selector(from) : from };
      }
      return chosen.current.value;
    },
    [selector],
  );
  return useSyncExternalStore(
    connection.subscribe,
    () => select(connection.getSnapshot()),
    () => select(IDLE_SNAPSHOT),
  );
}
