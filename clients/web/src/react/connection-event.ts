import type { ConnectionSnapshot } from "../connection/snapshot.js";

/**
 * What a person may want to be told of.
 *
 * - `lost`: no news have come for 5 s, or the browser is offline.
 * - `restored`: they come again, after a loss that was told.
 * - `degraded`: they come by polling now.
 * - `needs-auth`: nobody is signed in, or the hub refused the token.
 * - `failed`: the client has given up.
 */
export type ConnectionEvent = "lost" | "restored" | "degraded" | "needs-auth" | "failed";

/** What is to be told between two snapshots, if anything. `told` = a loss was told and is not over. */
export function connectionEvent(
  before: ConnectionSnapshot,
  after: ConnectionSnapshot,
  told: boolean,
): ConnectionEvent | null {
  const { phase, quality } = after;
  if ((phase === "needs-auth" || phase === "failed") && phase !== before.phase) return phase;
  if (phase === "live") {
    if (told) return "restored";
    return quality === "degraded" && !(before.phase === "live" && before.quality === "degraded")
      ? "degraded"
      : null;
  }
  return isLoss(after) && !told ? "lost" : null;
}

/** No news come, though they should, and have not for a while. */
export function isLoss({ phase, quality, lostSince }: ConnectionSnapshot): boolean {
  return phase === "offline" || (quality === "down" && lostSince !== null);
}
