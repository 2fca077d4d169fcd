import type { Figure, RecoveryKind } from "../gen/shipspeak/realtime/v1/meeting_pb.js";

export interface StageState {
  readonly name: string;
  readonly status: "pending" | "active" | "done" | "failed";
  /** 0 to 1 of this stage. */
  readonly fraction: number;
}

export interface UploadState {
  readonly sentBytes: number;
  /** 0 = not known. */
  readonly totalBytes: number;
  /** 0 = not known. */
  readonly bytesPerSecond: number;
  readonly fileName: string;
}

export interface RecoveryChoice {
  readonly kind: RecoveryKind;
  readonly label: string;
  /** Where to POST (retry the stage) or go; may be empty for uploading again. */
  readonly url: string;
}

export interface MeetingFailure {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  /** The stage that failed; empty = before the first. */
  readonly stage: string;
  readonly options: readonly RecoveryChoice[];
}

export interface MeetingResult {
  readonly url: string;
  readonly summary: string;
  readonly figures: readonly Figure[];
}

/** What is known of one meeting. Immutable; a new object for each change. */
export interface MeetingState {
  readonly phase: "waiting" | "uploading" | "processing" | "completed" | "failed";
  /** Counts from 1; 0 = nothing is known yet. */
  readonly attempt: number;
  readonly upload: UploadState | null;
  /** All stages in order; empty until the first is announced. */
  readonly stages: readonly StageState[];
  /** The stage that runs or failed; null = none yet, or all done. */
  readonly stage: string | null;
  /** 0 to 1 of everything; never falls within an attempt. */
  readonly fraction: number;
  /** Time left in milliseconds; null = not known. */
  readonly etaMs: number | null;
  /** A few words about the current step; may be empty. */
  readonly detail: string;
  readonly result: MeetingResult | null;
  readonly failure: MeetingFailure | null;
}

export const INITIAL_MEETING: MeetingState = Object.freeze({
  phase: "waiting",
  attempt: 0,
  upload: null,
  stages: Object.freeze([]),
  stage: null,
  fraction: 0,
  etaMs: null,
  detail: "",
  result: null,
  failure: null,
});
