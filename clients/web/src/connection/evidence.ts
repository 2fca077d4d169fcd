import type { RealtimeError } from "../errors.js";
import { pushes, type Rung, type StepReason } from "./ladder.js";

/** What speaks against the present rung: wall-clock times in milliseconds. */
export interface Evidence {
  /** Failures before the first frame, in a row, while single calls got through. */
  readonly early: readonly number[];
  /** Ends of sessions that lived for a moment only. */
  readonly short: readonly number[];
  /** Polls that were cut off while they waited, in a row. */
  readonly waits: readonly number[];
}

export const NO_EVIDENCE: Evidence = Object.freeze({ early: [], short: [], waits: [] });

/** What is known of a loss. */
export interface Loss {
  readonly error: RealtimeError;
  /** Wall clock in milliseconds. */
  readonly at: number;
  /** What the browser believes about the network. */
  readonly online: boolean;
  /** A single call got through right after the session had failed before Welcome. */
  readonly unaryWorks: boolean;
  /** The page is going away or out of sight: browsers cut connections then, which says nothing. */
  readonly hiding: boolean;
  /** Since Welcome, in milliseconds; null = it never came. */
  readonly livedMs: number | null;
  /** A Poll was cut off while it waited. */
  readonly waiting: boolean;
  /** The session lived on what another tab relays: its end says nothing of this tab's rung. */
  readonly relayed?: boolean;
}

/** A WebSocket that cannot be opened does not say why, so once is enough. */
const EARLY_FAILURES: Readonly<Record<Rung, number>> = { stream: 2, websocket: 1, longpoll: 0, poll: 0 };
const SHORT_MS = 10_000;
const SHORT_LIVES = 3;
const SHORT_WITHIN_MS = 60_000;
const CUT_WAITS = 2;
/** What happened this shortly before the page went out of sight was part of that (WebKit cuts first, and tells then). */
const HIDING_MS = 1000;

/** What a loss adds, and what it means: the reason to step down, or null. */
export function weigh(rung: Rung, before: Evidence, loss: Loss): readonly [Evidence, StepReason | null] {
  const unsupported = loss.error.kind === "unsupported"; // an answer: there is a network, whatever the browser says
  if (loss.relayed || loss.hiding || (!loss.online && !unsupported)) return [before, null];
  if (!pushes(rung)) return weighPoll(rung, before, loss);
  if (loss.livedMs === null) return weighEarly(rung, before, loss);
  return weighLife(before, loss);
}

/** Without what happened just before the page was hidden. */
export function forgive(evidence: Evidence, at: number): Evidence {
  const older = (times: readonly number[]) => times.filter((time) => at - time > HIDING_MS);
  return { early: older(evidence.early), short: older(evidence.short), waits: older(evidence.waits) };
}

function weighEarly(rung: Rung, before: Evidence, { error, at, unaryWorks }: Loss) {
  if (error.kind === "unsupported") return [NO_EVIDENCE, unaryWorks ? "blocked" : "unsupported"] as const;
  // A hub that is down speaks against no rung, and explains what came before.
  if (!unaryWorks) return [NO_EVIDENCE, null] as const;
  const early = [...before.early, at];
  return [{ ...before, early }, early.length >= EARLY_FAILURES[rung] ? "failing" : null] as const;
}

function weighLife(before: Evidence, { error, at, livedMs }: Loss) {
  const cut = error.kind === "network" || error.kind === "timeout";
  if (!cut || livedMs === null || livedMs >= SHORT_MS) return [before, null] as const;
  const short = [...before.short.filter((time) => at - time < SHORT_WITHIN_MS), at];
  return [{ ...before, short }, short.length >= SHORT_LIVES ? "cut" : null] as const;
}

function weighPoll(rung: Rung, before: Evidence, { error, at, waiting }: Loss) {
  if (rung === "poll" || !waiting) return [waiting ? before : NO_EVIDENCE, null] as const;
  if (error.kind !== "network" && error.kind !== "timeout") return [before, null] as const;
  const waits = [...before.waits, at];
  // A gateway that says its time was up will say so again.
  const gatewayTimeout = error.kind === "timeout" && error.code !== null;
  return [{ ...before, waits }, gatewayTimeout || waits.length >= CUT_WAITS ? "cut" : null] as const;
}
