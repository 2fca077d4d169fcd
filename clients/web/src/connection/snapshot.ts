import type { RealtimeError } from "../errors.js";
import type { Counters } from "../topics/types.js";
import { type LadderStep, pushes, type Rung } from "./ladder.js";
import type { MachineState, Phase } from "./machine.js";
import { NO_TRANSPORTS, type TransportTable } from "./meter.js";

/**
 * - `good`: news come at once.
 * - `degraded`: news come by polling, or the connection is being made anew since a moment.
 * - `down`: no news come.
 */
export type Quality = "good" | "degraded" | "down";

/** What can be shown of the connection; frozen, its identity changes only on change. */
export interface ConnectionSnapshot {
  readonly phase: Phase;
  /** How news come now; null while they do not. */
  readonly transport: Rung | null;
  readonly quality: Quality;
  /** Failed attempts in a row. */
  readonly attempt: number;
  /** When the next attempt begins, in milliseconds since 1970; null = none is planned. */
  readonly retryAt: number | null;
  /** Since when no news come, in milliseconds since 1970; null while they do or should not. */
  readonly lostSince: number | null;
  /** Round trip of the latest unary call that measures it; null = not known yet. */
  readonly rttMs: number | null;
  readonly everConnected: boolean;
  readonly error: RealtimeError | null;
  readonly counters: Counters;
  /** What each transport has done. */
  readonly transports: TransportTable;
  /** The latest changes of transport, oldest first, with their reasons; at most 20. */
  readonly steps: readonly LadderStep[];
}

export const NO_COUNTERS: Counters = Object.freeze({
  events: 0,
  duplicates: 0,
  leftOut: 0,
  gaps: 0,
  resets: 0,
  bytes: 0,
  stepDowns: 0,
  stepUps: 0,
});

/** The snapshot of a client that was never connected; also what a server renders. */
export const IDLE_SNAPSHOT: ConnectionSnapshot = Object.freeze({
  phase: "idle",
  transport: null,
  quality: "down",
  attempt: 0,
  retryAt: null,
  lostSince: null,
  rttMs: null,
  everConnected: false,
  error: null,
  counters: NO_COUNTERS,
  transports: NO_TRANSPORTS,
  steps: Object.freeze([]),
});

/** Phases in which something is being done about a missing connection. */
const TRYING: ReadonlySet<Phase> = new Set(["authenticating", "connecting", "syncing", "backoff"]);
/** Phases in which a connection is wanted. */
const WANTED: ReadonlySet<Phase> = new Set([...TRYING, "offline"]);

export function isWanted(phase: Phase): boolean {
  return WANTED.has(phase);
}

/** How good the connection is, for people: a loss counts as `down` only once it has lasted. */
export function qualityOf(
  state: Pick<MachineState, "phase" | "rung">,
  lostSince: number | null,
  now: number,
  lostAfterMs: number,
): Quality {
  if (state.phase === "live") return pushes(state.rung) ? "good" : "degraded";
  if (state.phase === "suspended") return "degraded"; // nobody sees it, and the page connects when it returns
  if (!TRYING.has(state.phase)) return "down";
  return lostSince !== null && now - lostSince >= lostAfterMs ? "down" : "degraded";
}
