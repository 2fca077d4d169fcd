/** All waiting times of the connection, in milliseconds. */
export interface Timing {
  /** A token must come within this time. */
  readonly tokenMs: number;
  /** Ask by Poll as well when Welcome has not come by then. */
  readonly parallelPollMs: number;
  /** Step down when Poll answers and Welcome has not come by then. */
  readonly welcomeMs: number;
  /** Give the whole attempt up. */
  readonly attemptMs: number;
  /** How long one Poll waits for news at the hub. */
  readonly pollWaitMs: number;
  /** Limit of other unary calls. */
  readonly callMs: number;
  /** A connection that has been live for this long is trusted again. */
  readonly settledMs: number;
  /** A loss shorter than this is not told to the person. */
  readonly lostAfterMs: number;
  /** While offline, try anyway this often. */
  readonly offlineProbeMs: number;
  /** First and longest wait between two tries of the better rungs. */
  readonly probeMinMs: number;
  readonly probeMaxMs: number;
  /** A better rung takes over after its first heartbeat, or after this time. */
  readonly probeSettleMs: number;
}

export const DEFAULT_TIMING: Timing = Object.freeze({
  tokenMs: 10_000,
  parallelPollMs: 2500,
  welcomeMs: 5000,
  attemptMs: 15_000,
  pollWaitMs: 25_000,
  callMs: 10_000,
  settledMs: 10_000,
  lostAfterMs: 5000,
  offlineProbeMs: 30_000,
  probeMinMs: 30_000,
  probeMaxMs: 600_000,
  probeSettleMs: 5000,
});
