import { useCallback, useSyncExternalStore } from "react";
import { useRealtime } from "./provider.js";

/**
 * The time at the hub, in milliseconds since 1970, new each `everyMs`; null on a server, where no page is. For
 * countdowns to moments that the hub names: the clocks of people's machines are often wrong.
 */
export function useServerNow(everyMs = 1000): number | null {
  const client = useRealtime();
  const subscribe = useCallback(
    (changed: () => void) => {
      const timer = setInterval(changed, everyMs);
      return () => clearInterval(timer);
    },
    [everyMs],
  );
  // Between two ticks it stands still: a snapshot must not change by itself.
  const tick = useCallback(() => Math.floor(client.serverNow() / everyMs) * everyMs, [client, everyMs]);
  return useSyncExternalStore<number | null>(subscribe, tick, () => null);
}
