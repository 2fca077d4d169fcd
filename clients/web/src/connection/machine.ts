import type { RealtimeError } from "../errors.js";
import type { Wait } from "./backoff.js";

/** What the connection is doing. */
export type Phase =
  | "idle"
  | "authenticating"
  | "connecting"
  | "syncing"
  | "live"
  | "backoff"
  | "offline"
  | "needs-auth"
  | "failed"
  | "closed";

/** The way frames come in: a grpc-web stream, or unary long polls. */
export type Rung = "stream" | "longpoll";

export interface MachineState {
  readonly phase: Phase;
  readonly rung: Rung;
  /** Failed attempts since the connection was last trusted. */
  readonly attempt: number;
  /** Attempts on the stream, in a row, that failed before Welcome while single calls got through. */
  readonly streamFailures: number;
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
  | {
      readonly type: "lost";
      readonly error: RealtimeError;
      /** What the browser believes about the network. */
      readonly online: boolean;
      /** A single call got through right after a stream had failed before Welcome. */
      readonly unaryWorks: boolean;
    }
  | { readonly type: "sent-away"; readonly withinMs: number }
  | { readonly type: "stepped-up" }
  | { readonly type: "retry" };

/** What the owner of the machine has to do; the machine itself touches nothing. */
export type Effect =
  | { readonly type: "authenticate"; readonly because: "initial" | "rejected" }
  | { readonly type: "open"; readonly rung: Rung }
  | { readonly type: "drop" }
  | { readonly type: "wait"; readonly wait: Wait }
  | { readonly type: "wait-offline" }
  | { readonly type: "stepped"; readonly to: Rung };

export type Step = readonly [MachineState, readonly Effect[]];
type Rule<K extends MachineEvent["type"]> = (
  state: MachineState,
  event: Extract<MachineEvent, { type: K }>,
) => Step;
type Row = { readonly [K in MachineEvent["type"]]?: Rule<K> };

export const INITIAL: MachineState = Object.freeze({
  phase: "idle",
  rung: "stream",
  attempt: 0,
  streamFailures: 0,
  settled: false,
  tokenRetried: false,
  everConnected: false,
  error: null,
});

const begin: Rule<"connect"> = (state) => [
  { ...INITIAL, everConnected: state.everConnected, rung: state.rung, phase: "authenticating" },
  [{ type: "authenticate", because: "initial" }],
];
const beginAgain: Rule<"retry"> = (state) => begin(state, { type: "connect" });
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
  { ...state, phase: "syncing", streamFailures: 0, everConnected: true },
  [],
];
const arrived: Rule<"caught-up"> = (state) => [{ ...state, phase: "live", error: null }, []];
const trusted: Rule<"settled"> = (state) => [
  { ...state, attempt: 0, settled: true, tokenRetried: false },
  [],
];
const climbed: Rule<"stepped-up"> = (state) => [
  { ...state, rung: "stream" },
  [{ type: "stepped", to: "stream" }],
];

/** So many failures of the stream, while single calls get through, are enough to poll instead. */
const STREAM_FAILURES = 2;

/** Before Welcome: the failure may speak against the stream as such. A hub that is down never does. */
const failedEarly: Rule<"lost"> = (state, event) => {
  const unsupported = event.error.kind === "unsupported";
  if (state.rung === "longpoll") return fallen(unsupported ? { ...state, rung: "stream" } : state, event);
  const streamFailures = event.unaryWorks ? state.streamFailures + 1 : 0;
  if (!unsupported && streamFailures < STREAM_FAILURES) return fallen({ ...state, streamFailures }, event);
  return [
    { ...state, rung: "longpoll", streamFailures: 0, phase: "connecting" },
    [{ type: "drop" }, { type: "stepped", to: "longpoll" }, { type: "open", rung: "longpoll" }],
  ];
};

const FATAL_KINDS: ReadonlySet<string> = new Set(["permission", "refused"]);

/** Any loss: wait and try again, unless trying again cannot help. */
const fallen: Rule<"lost"> = (state, { error, online }) => {
  const lost = { ...state, error };
  if (error.kind === "auth") return refusedToken(lost);
  if (FATAL_KINDS.has(error.kind) || isVersionRefusal(error)) {
    return [{ ...lost, phase: "failed" }, [{ type: "drop" }]];
  }
  if (!online)
    return [{ ...lost, phase: "offline", settled: false }, [{ type: "drop" }, { type: "wait-offline" }]];
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
  if (state.tokenRetried) return [{ ...state, phase: "needs-auth" }, [{ type: "drop" }]];
  return [
    { ...state, phase: "authenticating", tokenRetried: true, settled: false },
    [{ type: "drop" }, { type: "authenticate", because: "rejected" }],
  ];
}

function isVersionRefusal(error: RealtimeError): boolean {
  return error.kind === "protocol" && error.code !== null;
}

const ending: Row = { disconnect: stop, close };

/** Every transition there is; an event without a rule in the present phase changes nothing. */
export const TRANSITIONS: Readonly<Record<Phase, Row>> = {
  idle: { connect: begin, close },
  authenticating: { ...ending, token: open, "no-token": signedOut, lost: fallen },
  connecting: { ...ending, welcome: welcomed, lost: failedEarly },
  syncing: { ...ending, "caught-up": arrived, lost: fallen, "sent-away": sentAway, "stepped-up": climbed },
  live: {
    ...ending,
    settled: trusted,
    lost: fallen,
    "sent-away": sentAway,
    "stepped-up": climbed,
    "no-token": signedOut,
  },
  backoff: { ...ending, retry: again },
  offline: { ...ending, retry: again },
  "needs-auth": { ...ending, connect: begin, retry: beginAgain },
  failed: { ...ending, connect: begin, retry: beginAgain },
  closed: {},
};

/** One step of the machine; pure. */
export function transition(state: MachineState, event: MachineEvent): Step {
  const rule = TRANSITIONS[state.phase][event.type] as Rule<MachineEvent["type"]> | undefined;
  return rule ? rule(state, event) : [state, []];
}
