import type { RealtimeError } from "../errors.js";
import { ErrorReason } from "../gen/shipspeak/realtime/v1/error_reason_pb.js";
import type { Wait } from "./backoff.js";
import { type Evidence, forgive, type Loss, NO_EVIDENCE, weigh } from "./evidence.js";
import { LADDER, pushes, type Rung, rungBelow, type StepReason } from "./ladder.js";

/** What the connection is doing. */
export type Phase =
  | "idle"
  | "authenticating"
  | "connecting"
  | "syncing"
  | "live"
  | "backoff"
  | "offline"
  | "suspended"
  | "needs-auth"
  | "failed"
  | "closed";

export interface MachineState {
  readonly phase: Phase;
  /** The rungs that may be used here, best first. */
  readonly ladder: readonly Rung[];
  readonly rung: Rung;
  /** Failed attempts since the connection was last trusted. */
  readonly attempt: number;
  /** What speaks against the rung. */
  readonly evidence: Evidence;
  /** The connection has been live long enough to be trusted. */
  readonly settled: boolean;
  /** A new token was fetched because the last one was refused. */
  readonly tokenRetried: boolean;
  readonly everConnected: boolean;
  /** What went wrong last; null while all is well. */
  readonly error: RealtimeError | null;
}

export type MachineEvent =
  | { readonly type: "connect" }
  | { readonly type: "disconnect" }
  | { readonly type: "close" }
  | { readonly type: "token" }
  | { readonly type: "no-token" }
  | { readonly type: "welcome" }
  | { readonly type: "caught-up" }
  | { readonly type: "settled" }
  | ({ readonly type: "lost" } & Loss)
  /** A Poll waited for as long as it was to. */
  | { readonly type: "waited" }
  | { readonly type: "sent-away"; readonly withinMs: number }
  | { readonly type: "stepped-up"; readonly to: Rung }
  | { readonly type: "retry" }
  /** The page goes out of sight. */
  | { readonly type: "hiding"; readonly at: number }
  /** The page freezes, is kept for later, or ends. */
  | { readonly type: "suspend" }
  | { readonly type: "resume" };

/** What the owner of the machine has to do; the machine itself touches nothing. */
export type Effect =
  | { readonly type: "authenticate"; readonly because: "initial" | "rejected" }
  | { readonly type: "open"; readonly rung: Rung }
  | { readonly type: "drop" }
  | { readonly type: "wait"; readonly wait: Wait }
  | { readonly type: "wait-offline" }
  | { readonly type: "stepped"; readonly from: Rung; readonly to: Rung; readonly reason: StepReason };

export type Step = readonly [MachineState, readonly Effect[]];
type Rule<K extends MachineEvent["type"]> = (
  state: MachineState,
  event: Extract<MachineEvent, { type: K }>,
) => Step;
type Row = { readonly [K in MachineEvent["type"]]?: Rule<K> };

export const INITIAL: MachineState = Object.freeze({
  phase: "idle",
  ladder: LADDER,
  rung: "stream",
  attempt: 0,
  evidence: NO_EVIDENCE,
  settled: false,
  tokenRetried: false,
  everConnected: false,
  error: null,
});

/** A machine at its beginning, on the rung that was good the last time. */
export function initialState(ladder: readonly Rung[], remembered: Rung | null): MachineState {
  const top = ladder[0] ?? "stream";
  const rung = remembered !== null && ladder.includes(remembered) ? remembered : top;
  return Object.freeze({ ...INITIAL, ladder, rung });
}

const begin: Rule<"connect"> = (state) => [
  { ...initialState(state.ladder, state.rung), everConnected: state.everConnected, phase: "authenticating" },
  [{ type: "authenticate", because: "initial" }],
];
const beginAgain: Rule<"retry"> = (state) =>
  state.phase === "needs-auth" && hasEnded(state.error)
    ? [{ ...state, phase: "authenticating" }, [{ type: "authenticate", because: "rejected" }]]
    : begin(state, { type: "connect" });
const again: Rule<"retry"> = (state) => [
  { ...state, phase: "authenticating" },
  [{ type: "authenticate", because: "initial" }],
];
const stop: Rule<"disconnect"> = (state) => [{ ...state, phase: "idle", error: null }, [{ type: "drop" }]];
const close: Rule<"close"> = (state) => [{ ...state, phase: "closed" }, [{ type: "drop" }]];
const open: Rule<"token"> = (state) => [
  { ...state, phase: "connecting" },
  [{ type: "open", rung: state.rung }],
];
const signedOut: Rule<"no-token"> = (state) => [{ ...state, phase: "needs-auth" }, [{ type: "drop" }]];
const welcomed: Rule<"welcome"> = (state) => [
  { ...state, phase: "syncing", evidence: { ...state.evidence, early: [] }, everConnected: true },
  [],
];
const arrived: Rule<"caught-up"> = (state) => [{ ...state, phase: "live", error: null }, []];
const trusted: Rule<"settled"> = (state) => [
  { ...state, attempt: 0, settled: true, tokenRetried: false },
  [],
];
const waited: Rule<"waited"> = (state) =>
  state.evidence.waits.length === 0
    ? [state, []]
    : [{ ...state, evidence: { ...state.evidence, waits: [] } }, []];
const climbed: Rule<"stepped-up"> = (state, { to }) => [
  { ...state, rung: to, evidence: NO_EVIDENCE },
  [{ type: "stepped", from: state.rung, to, reason: "probed" }],
];
const hidden: Rule<"hiding"> = (state, { at }) => [{ ...state, evidence: forgive(state.evidence, at) }, []];
const suspended: Rule<"suspend"> = (state) => [
  { ...state, phase: "suspended", attempt: 0, settled: false, evidence: NO_EVIDENCE, error: null },
  [{ type: "drop" }],
];
const resumed: Rule<"resume"> = (state) => again(state, { type: "retry" });

/** A loss of a session, or of its attempt: the next rung down where the evidence says so, else a wait. */
const fell: Rule<"lost"> = (state, event) => {
  const [evidence, reason] = weigh(state.rung, state.evidence, event);
  const to = reason && rungBelow(state.ladder, state.rung);
  if (to) {
    return [
      { ...state, phase: "connecting", rung: to, evidence: NO_EVIDENCE, settled: false, error: event.error },
      [{ type: "drop" }, { type: "stepped", from: state.rung, to, reason }, { type: "open", rung: to }],
    ];
  }
  // Where not even single calls are the hub's, another network is behind it: begin from the top.
  const lost = !pushes(state.rung) && event.error.kind === "unsupported";
  return fallen({ ...state, evidence, rung: lost ? (state.ladder[0] ?? state.rung) : state.rung }, event);
};

const FATAL_KINDS: ReadonlySet<string> = new Set(["permission", "refused"]);

/** Any loss: wait and try again, unless trying again cannot help. */
const fallen: Rule<"lost"> = (state, { error, online, hiding }) => {
  const lost = { ...state, error };
  if (error.kind === "auth") return refusedToken(lost);
  // A refusal that names a time is no last word.
  if (error.retryAfterMs === null && (FATAL_KINDS.has(error.kind) || isVersionRefusal(error))) {
    return [{ ...lost, phase: "failed" }, [{ type: "drop" }]];
  }
  if (!online)
    return [{ ...lost, phase: "offline", settled: false }, [{ type: "drop" }, { type: "wait-offline" }]];
  if (hiding) {
    const wait = { kind: "first_loss" } as const;
    return [{ ...lost, phase: "backoff" }, [{ type: "drop" }, { type: "wait", wait }]];
  }
  // After a Welcome the hub was there a moment ago: half of the doubt that earlier failures left.
  const wasWelcomed = state.phase === "syncing" || state.phase === "live";
  const attempt = wasWelcomed ? Math.floor(state.attempt / 2) : state.attempt;
  return [
    { ...lost, phase: "backoff", attempt: state.settled ? 0 : attempt + 1, settled: false },
    [{ type: "drop" }, { type: "wait", wait: waitAfter({ ...state, attempt }, error) }],
  ];
};

/** The hub asked for a new connection: no failure, so nothing is counted. */
const sentAway: Rule<"sent-away"> = (state, { withinMs }) => [
  { ...state, phase: "backoff" },
  [{ type: "drop" }, { type: "wait", wait: { kind: "spread", withinMs } }],
];

function waitAfter({ attempt, settled }: MachineState, error: RealtimeError): Wait {
  if (error.retryAfterMs !== null) return { kind: "hint", hintMs: error.retryAfterMs };
  if (error.kind === "busy") return { kind: "slow", attempt };
  return settled ? { kind: "first_loss" } : { kind: "retry", attempt };
}

function refusedToken(state: MachineState): Step {
  if (state.tokenRetried) {
    const { attempt } = state;
    const refused: MachineState = { ...state, phase: "needs-auth", attempt: attempt + 1, settled: false };
    if (!hasEnded(state.error)) return [refused, [{ type: "drop" }]];
    // A cache that lags behind the end of its token, or a clock that is wrong: a later token may be good.
    return [refused, [{ type: "drop" }, { type: "wait", wait: { kind: "retry", attempt } }]];
  }
  return [
    { ...state, phase: "authenticating", tokenRetried: true, settled: false },
    [{ type: "drop" }, { type: "authenticate", because: "rejected" }],
  ];
}

const ENDED: ReadonlySet<ErrorReason> = new Set([ErrorReason.TOKEN_EXPIRED, ErrorReason.SESSION_EXPIRED]);

/** The token was good once. */
function hasEnded(error: RealtimeError | null): boolean {
  return error !== null && ENDED.has(error.reason);
}

function isVersionRefusal(error: RealtimeError): boolean {
  return error.kind === "protocol" && error.code !== null;
}

const ending: Row = { disconnect: stop, close };
const wanted: Row = { ...ending, hiding: hidden, suspend: suspended };
const welcome: Row = { ...wanted, lost: fell, "sent-away": sentAway, "stepped-up": climbed, waited };

/** Every transition there is; an event without a rule in the present phase changes nothing. */
export const TRANSITIONS: Readonly<Record<Phase, Row>> = {
  idle: { connect: begin, close },
  authenticating: { ...wanted, token: open, "no-token": signedOut, lost: fallen },
  connecting: { ...wanted, welcome: welcomed, lost: fell, "sent-away": sentAway },
  syncing: { ...welcome, "caught-up": arrived, "no-token": signedOut },
  live: { ...welcome, settled: trusted, "no-token": signedOut },
  backoff: { ...wanted, retry: again },
  offline: { ...wanted, retry: again },
  suspended: { ...ending, resume: resumed, retry: again },
  "needs-auth": { ...ending, connect: begin, retry: beginAgain },
  failed: { ...ending, connect: begin, retry: beginAgain },
  closed: {},
};

/** One step of the machine; pure. */
export function transition(state: MachineState, event: MachineEvent): Step {
  const rule = TRANSITIONS[state.phase][event.type] as Rule<MachineEvent["type"]> | undefined;
  return rule ? rule(state, event) : [state, []];
}
