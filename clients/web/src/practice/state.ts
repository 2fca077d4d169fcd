import type { Figure } from "../gen/shipspeak/realtime/v1/meeting_pb.js";

/** How much a hint matters. */
export type HintTone = "info" | "praise" | "nudge" | "urgent";

export interface Hint {
  /** Of the event that brought it; a hint is shown by it and never twice. */
  readonly key: string;
  /** What it is about, such as `pace`. */
  readonly aspect: string;
  readonly text: string;
  readonly tone: HintTone;
  /** Where in the speech it belongs, in milliseconds from the session's start; null = when it came. */
  readonly atMs: number | null;
}

export interface DimensionState {
  readonly dimension: string;
  /** 0 to 100. */
  readonly score: number;
  /** Change since the last score, in points. */
  readonly trend: number;
}

export interface Milestone {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** 0 to 1 of the whole practice goal. */
  readonly fraction: number;
}

/** What is known of one practice session. Immutable; a new object for each change. */
export interface PracticeState {
  readonly phase: "waiting" | "live" | "ended";
  /** The latest hints, newest last; at most HINTS_KEPT. */
  readonly hints: readonly Hint[];
  /** 0 to 100 over everything; null = not scored yet. */
  readonly overall: number | null;
  readonly dimensions: readonly DimensionState[];
  /** Each reached goal once, in the order in which they were reached. */
  readonly milestones: readonly Milestone[];
  readonly elapsedMs: number | null;
  readonly figures: readonly Figure[];
}

export const HINTS_KEPT = 50;

export const INITIAL_PRACTICE: PracticeState = Object.freeze({
  phase: "waiting",
  hints: Object.freeze([]),
  overall: null,
  dimensions: Object.freeze([]),
  milestones: Object.freeze([]),
  elapsedMs: null,
  figures: Object.freeze([]),
});
