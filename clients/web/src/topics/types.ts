import type { RealtimeError } from "../errors.js";
import type * as pb from "../gen/shipspeak/realtime/v1/event_pb.js";
import type { Position } from "./position.js";

/**
 * Where a subscription begins that has no position yet: `latest` = what comes from now on, `earliest` = everything that
 * the log has, `snapshot` = the latest event of each key and all events without one, where the topic allows it.
 */
export type Start = "earliest" | "latest" | "snapshot";

/**
 * What the hub said about completeness.
 *
 * - `ok`: nothing is missing.
 * - `gap`: history was trimmed; events before the new position are gone.
 * - `reset`: the log is another one: throw state away and build it anew from what follows.
 * - `live`: the topic keeps no history.
 */
export interface VerdictNews {
  readonly verdict: "ok" | "gap" | "reset" | "live";
  /** Events lost, at most; null = not known, or none. */
  readonly lost: number | null;
}

export interface TopicListener {
  /** Default `latest`. */
  readonly start?: Start;
  /** Goes on behind this place, wherever the topic stands here; `start` counts only when its log is another one. */
  readonly from?: Position;
  /** Told after what led to it: everything up to there has been handed over or accounted for. */
  readonly onPosition?: (position: Position) => void;
  /** Each event once, in log order. */
  readonly onEvent?: (event: pb.Event) => void;
  readonly onVerdict?: (news: VerdictNews) => void;
  /** The topic was refused, or its history cannot be read; nothing more follows. */
  readonly onError?: (error: RealtimeError) => void;
}

/** What can be shown of a topic; frozen, its identity changes only on change. */
export interface TopicSnapshot {
  /** `pending`: not answered yet; `refused`: see `error`. */
  readonly status: "pending" | "live" | "refused";
  /** The last offset accounted for; null before the first answer and in volatile topics. */
  readonly offset: bigint | null;
  readonly error: RealtimeError | null;
  /** Events taken since the subscription began, each once, however many listeners there are. */
  readonly events: number;
  /** Events that the hub counted in place of delivering them, since then. */
  readonly leftOut: number;
}

/** What is known of a topic before the first answer. */
export const PENDING_TOPIC: TopicSnapshot = Object.freeze({
  status: "pending",
  offset: null,
  error: null,
  events: 0,
  leftOut: 0,
});

/** Facts about one client's life, counted from its construction. */
export interface Counters {
  /** Events handed to the application. */
  readonly events: number;
  /** Events that came again and were dropped. */
  readonly duplicates: number;
  /** Events that the hub counted in place of delivering them: superseded, expired or withdrawn. */
  readonly leftOut: number;
  /** Times that the hub said GAP. */
  readonly gaps: number;
  /** Times that the hub said RESET. */
  readonly resets: number;
  /** Bytes of messages received with runs. */
  readonly bytes: number;
  /** Changes to a lower rung of the ladder, and to a better one. */
  readonly stepDowns: number;
  readonly stepUps: number;
}

export type Count = (name: keyof Counters, by: number) => void;
