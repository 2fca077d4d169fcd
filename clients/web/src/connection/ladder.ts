/** The ways in which frames come in, best first. */
export const LADDER = Object.freeze(["stream", "websocket", "longpoll", "poll"] as const);

/**
 * - `stream`: a grpc-web server stream.
 * - `websocket`: the same frames, one in each binary message.
 * - `longpoll`: unary calls that wait for news at the hub.
 * - `poll`: unary calls that do not wait, at intervals that follow the traffic.
 */
export type Rung = (typeof LADDER)[number];

/**
 * Why the connection went to another rung.
 *
 * - `unsupported`: the answer was not the hub's (404, HTML, another content type).
 * - `blocked`: no first frame came in time while single calls got through, as behind a proxy that buffers.
 * - `failing`: it failed before its first frame, again, while single calls got through.
 * - `cut`: it was cut early, again and again.
 * - `probed`: a better rung was tried beside this one, and works.
 */
export type StepReason = "unsupported" | "blocked" | "failing" | "cut" | "probed";

/** One change of rung. */
export interface LadderStep {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly from: Rung;
  readonly to: Rung;
  readonly reason: StepReason;
}

/** Whether the hub pushes on this rung, so that news come at once. */
export function pushes(rung: Rung): boolean {
  return rung === "stream" || rung === "websocket";
}

/** The next rung down; null on the last one. */
export function rungBelow(ladder: readonly Rung[], rung: Rung): Rung | null {
  return ladder[ladder.indexOf(rung) + 1] ?? null;
}

/** The rungs above this one, best first. */
export function rungsAbove(ladder: readonly Rung[], rung: Rung): readonly Rung[] {
  return ladder.slice(0, Math.max(0, ladder.indexOf(rung)));
}
