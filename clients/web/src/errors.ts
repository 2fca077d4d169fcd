import { Code } from "./gen/google/rpc/code_pb.js";
import { ErrorReason } from "./gen/shipspeak/realtime/v1/error_reason_pb.js";

/**
 * What a failure means to the client, whatever caused it.
 *
 * - `network`: the hub was not reached, or the answer broke off. Trying again may help.
 * - `timeout`: no answer in time.
 * - `unsupported`: this way of talking is blocked here (captive portal, proxy, other server).
 * - `auth`: the token is missing, bad or old.
 * - `permission`: the principal lacks the right.
 * - `protocol`: bytes that break the protocol, or versions that do not fit. Trying again does not help.
 * - `busy`: the hub asks to come back later.
 * - `refused`: the hub understood and said no.
 * - `unknown`: a draft was sent and no answer came in time: it may be stored or not. Publish it again with `id`.
 * - `aborted`: given up by this side.
 */
export type ErrorKind =
  | "network"
  | "timeout"
  | "unsupported"
  | "auth"
  | "permission"
  | "protocol"
  | "busy"
  | "refused"
  | "unknown"
  | "aborted";

export interface RealtimeErrorFacts {
  readonly kind: ErrorKind;
  /** Canonical status code; null when no status was received. */
  readonly code?: Code | null;
  /** UNSPECIFIED when the hub named none. */
  readonly reason?: ErrorReason;
  /** Wait at least this long before trying again, in milliseconds; null when the hub named no time. */
  readonly retryAfterMs?: number | null;
  /** Facts named at the reason. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Of the draft that it is about; empty when it is about none. */
  readonly id?: string;
  readonly cause?: unknown;
}

/** Every error that this package raises or reports; each is of one of the classes below, for `instanceof`. */
export class RealtimeError extends Error {
  override readonly name = "RealtimeError";
  readonly kind: ErrorKind;
  readonly code: Code | null;
  readonly reason: ErrorReason;
  readonly retryAfterMs: number | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly id: string;

  constructor(message: string, facts: RealtimeErrorFacts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    // Made by its kind, an error is of the class of that kind all the same.
    if (new.target === RealtimeError) Object.setPrototypeOf(this, CLASSES[facts.kind].prototype);
    this.kind = facts.kind;
    this.code = facts.code ?? null;
    this.reason = facts.reason ?? ErrorReason.UNSPECIFIED;
    this.retryAfterMs = facts.retryAfterMs ?? null;
    this.metadata = facts.metadata ?? {};
    this.id = facts.id ?? "";
  }

  /**
   * Whether the same call may succeed later without anything else changing. False for `unknown`: without the draft's
   * id the same call could store it a second time.
   */
  get retryable(): boolean {
    return this.kind === "network" || this.kind === "timeout" || this.kind === "busy";
  }
}

/** The hub was not reached, or the answer broke off. */
export class NetworkError extends RealtimeError {
  declare readonly kind: "network";
}

/** No answer in time. */
export class TimeoutError extends RealtimeError {
  declare readonly kind: "timeout";
}

/** This way of talking is blocked here. */
export class UnsupportedError extends RealtimeError {
  declare readonly kind: "unsupported";
}

/** Somebody has to sign in. */
export class AuthError extends RealtimeError {
  declare readonly kind: "auth";
}

/** The user lacks the right; `reason` and `metadata` say which. */
export class PermissionError extends RealtimeError {
  declare readonly kind: "permission";
}

/** Bytes that break the protocol, or versions that do not fit. */
export class ProtocolError extends RealtimeError {
  declare readonly kind: "protocol";
}

/** Come back later: after `retryAfterMs`, where the hub has named a time. */
export class BusyError extends RealtimeError {
  declare readonly kind: "busy";
}

/** The hub understood and said no; `reason` says why. */
export class RefusedError extends RealtimeError {
  declare readonly kind: "refused";
}

/** The draft may be stored or not: publish it again with `id`. */
export class OutcomeUnknownError extends RealtimeError {
  declare readonly kind: "unknown";
}

/** Given up by this side. */
export class AbortedError extends RealtimeError {
  declare readonly kind: "aborted";
}

const CLASSES: Readonly<Record<ErrorKind, typeof RealtimeError>> = {
  network: NetworkError,
  timeout: TimeoutError,
  unsupported: UnsupportedError,
  auth: AuthError,
  permission: PermissionError,
  protocol: ProtocolError,
  busy: BusyError,
  refused: RefusedError,
  unknown: OutcomeUnknownError,
  aborted: AbortedError,
};

/** The same error, about one draft. */
export function aboutDraft(error: RealtimeError, id: string): RealtimeError {
  const { message, kind, code, reason, retryAfterMs, metadata, cause } = error;
  return new RealtimeError(message, { kind, code, reason, retryAfterMs, metadata, cause, id });
}

const KIND_OF_CODE: Readonly<Partial<Record<Code, ErrorKind>>> = {
  [Code.CANCELLED]: "network",
  [Code.UNKNOWN]: "network",
  [Code.DEADLINE_EXCEEDED]: "timeout",
  [Code.RESOURCE_EXHAUSTED]: "busy",
  [Code.ABORTED]: "busy",
  [Code.UNIMPLEMENTED]: "unsupported",
  [Code.INTERNAL]: "network",
  [Code.UNAVAILABLE]: "network",
  [Code.DATA_LOSS]: "network",
  [Code.UNAUTHENTICATED]: "auth",
  [Code.PERMISSION_DENIED]: "permission",
};

/** Reasons that say more than their code. */
const KIND_OF_REASON: Readonly<Partial<Record<ErrorReason, ErrorKind>>> = {
  [ErrorReason.PROTOCOL_VERSION_UNSUPPORTED]: "protocol",
  [ErrorReason.HELLO_REQUIRED]: "protocol",
  [ErrorReason.FRAME_MALFORMED]: "protocol",
  [ErrorReason.FEATURE_UNAVAILABLE]: "refused",
  [ErrorReason.OVERLOADED]: "busy",
  [ErrorReason.RATE_LIMITED]: "busy",
};

/** A status of the hub as an error. Reasons that the client acts upon win over the code. */
export function errorFromStatus(
  code: Code,
  message: string,
  details: Pick<RealtimeErrorFacts, "reason" | "retryAfterMs" | "metadata"> = {},
): RealtimeError {
  const reason = details.reason ?? ErrorReason.UNSPECIFIED;
  return new RealtimeError(message || Code[code] || `status ${code}`, {
    ...details,
    code,
    kind: KIND_OF_REASON[reason] ?? KIND_OF_CODE[code] ?? "refused",
  });
}

/** Any thrown value as an error of this package: TypeErrors of fetch are the network (never judged by text). */
export function toRealtimeError(thrown: unknown): RealtimeError {
  if (thrown instanceof RealtimeError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const kind: ErrorKind = thrown instanceof TypeError ? "network" : "protocol";
  return new RealtimeError(message, { kind, cause: thrown });
}
