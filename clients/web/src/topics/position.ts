import type * as pb from "../gen/shipspeak/realtime/v1/event_pb.js";

/** Where a receiver stands in one topic's log. */
export interface Position {
  /** Identity of the log; never 0. */
  readonly epoch: bigint;
  /** The last offset handled or accounted for. */
  readonly offset: bigint;
  /** Resume token of an offset at or below `offset`; empty before the first one. */
  readonly cursor: Uint8Array;
  /** Id of the event at `offset` while `cursor` lies below it, as its proof; absent = not known, or not needed. */
  readonly handledId?: string;
}

/** The part of a run that the receiver's rule looks at. */
export type RunView = Pick<pb.TopicRun, "epoch" | "afterOffset" | "throughOffset" | "events" | "cursor">;

/**
 * What a receiver does with a run.
 *
 * - `take`: hand over `events`, then stand at `position`; `dropped` events had been handed over before.
 * - `volatile`: hand over the events, each id once; there is no position.
 * - `duplicate`: all of it had been accounted for.
 * - `foreign`: another log, and no RESET announced it. Ignore it.
 * - `hole`: it begins after the position. Subscribe again from the last cursor.
 */
export type RunOutcome =
  | {
      readonly kind: "take";
      readonly events: readonly pb.Event[];
      readonly dropped: number;
      readonly position: Position;
    }
  | { readonly kind: "volatile"; readonly events: readonly pb.Event[] }
  | { readonly kind: "duplicate" }
  | { readonly kind: "foreign" }
  | { readonly kind: "hole" };

/** The receiver's rule of the contract (TopicRun in event.proto), as a pure function. */
export function receiveRun(position: Position | null, run: RunView): RunOutcome {
  if (run.epoch === 0n) return { kind: "volatile", events: run.events };
  if (position === null || run.epoch !== position.epoch) return { kind: "foreign" };
  if (run.throughOffset <= position.offset) return { kind: "duplicate" };
  if (run.afterOffset > position.offset) return { kind: "hole" };
  const events = run.events.filter((event) => event.offset > position.offset);
  return {
    kind: "take",
    events,
    dropped: run.events.length - events.length,
    position: standAfter(run, position),
  };
}

/** What to ask of the hub to go on from a position. */
export function resumeFrom(position: Position) {
  const { cursor, offset, handledId = "" } = position;
  return { cursor, handledOffset: offset, handledId };
}

function standAfter(run: RunView, before: Position): Position {
  const { epoch, throughOffset: offset } = run;
  if (run.cursor.length > 0) return { epoch, offset, cursor: run.cursor };
  const last = run.events.at(-1);
  const proof = last?.offset === offset ? { handledId: last.id } : {};
  return { epoch, offset, cursor: before.cursor, ...proof };
}
