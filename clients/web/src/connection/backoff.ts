/** Times in milliseconds; shared with the Python SDK by tests/conformance/vectors/backoff.json. */
export const BACKOFF = {
  baseMs: 500,
  floorMs: 250,
  capMs: 30_000,
  hiddenCapMs: 120_000,
  firstLossMs: 1000,
  slowMs: [5000, 30_000, 60_000, 300_000],
} as const;

/** Why there is a wait, which decides how long it is. */
export type Wait =
  /** Failed attempts in a row: full jitter under a bound that doubles. `attempt` counts from 0. */
  | { readonly kind: "retry"; readonly attempt: number }
  /** The first loss of a connection that had been live for a while: come back fast, but not all at once. */
  | { readonly kind: "first_loss" }
  /** The hub named a time. */
  | { readonly kind: "hint"; readonly hintMs: number }
  /** A refusal that will not heal soon. */
  | { readonly kind: "slow"; readonly attempt: number }
  /** The hub asked its clients to come back spread over a time. */
  | { readonly kind: "spread"; readonly withinMs: number };

/** How long to wait before the next attempt, in milliseconds; `random` is uniform in [0, 1). */
export function backoffDelay(wait: Wait, random: number, hidden = false): number {
  switch (wait.kind) {
    case "retry": {
      const cap = hidden ? BACKOFF.hiddenCapMs : BACKOFF.capMs;
      return BACKOFF.floorMs + random * Math.min(cap, BACKOFF.baseMs * 2 ** wait.attempt);
    }
    case "first_loss":
      return random * BACKOFF.firstLossMs;
    case "hint":
      return Math.max(wait.hintMs, BACKOFF.floorMs) + random * (0.2 * wait.hintMs + 1000);
    case "slow":
      return slowTier(wait.attempt) * (1 + 0.2 * random);
    case "spread":
      return random * wait.withinMs;
  }
}

function slowTier(attempt: number): number {
  return BACKOFF.slowMs[attempt] ?? BACKOFF.slowMs[3];
}
