import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { errorFromStatus, RealtimeError, type RealtimeErrorFacts } from "../errors.js";
import { Code } from "../gen/google/rpc/code_pb.js";
import { ErrorReason } from "../gen/shipspeak/realtime/v1/error_reason_pb.js";

type Details = Pick<RealtimeErrorFacts, "reason" | "retryAfterMs" | "metadata">;

/** Reads one header or trailer field; null when it is not there. */
export type Field = (name: string) => string | null | undefined;

/** HTTP statuses that say "not this way here": the ladder steps down at once. */
const UNSUPPORTED_HTTP: ReadonlySet<number> = new Set([404, 405, 415, 426, 501]);

/** A gateway's own patience is at its end. */
const TIMEOUT_HTTP: ReadonlySet<number> = new Set([408, 504]);

/** The error that grpc-status and its companions state; null for OK. Raises `protocol` for a broken status. */
export function errorOfStatusFields(field: Field): RealtimeError | null {
  const text = field("grpc-status") ?? "";
  if (!/^\d{1,2}$/.test(text)) {
    throw new RealtimeError("The answer has no readable grpc-status.", { kind: "protocol" });
  }
  const code = Number(text) as Code;
  if (code === Code.OK) return null;
  return errorFromStatus(code, decodeMessage(field("grpc-message") ?? ""), readDetails(field));
}

/** The error of an answer that is not grpc-web by its HTTP status or content type; null when it may be. */
export function errorOfHttp(status: number, contentType: string | null): RealtimeError | null {
  if (status === 401) return new RealtimeError("HTTP 401", { kind: "auth", code: Code.UNAUTHENTICATED });
  if (status === 403)
    return new RealtimeError("HTTP 403", { kind: "permission", code: Code.PERMISSION_DENIED });
  if (UNSUPPORTED_HTTP.has(status)) {
    return new RealtimeError(`HTTP ${status}`, { kind: "unsupported", code: Code.UNIMPLEMENTED });
  }
  if (TIMEOUT_HTTP.has(status)) {
    return new RealtimeError(`HTTP ${status}`, { kind: "timeout", code: Code.DEADLINE_EXCEEDED });
  }
  if (status === 429) return new RealtimeError("HTTP 429", { kind: "busy", code: Code.RESOURCE_EXHAUSTED });
  if (status !== 200) return new RealtimeError(`HTTP ${status}`, { kind: "network", code: Code.UNAVAILABLE });
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type === "application/grpc-web" || type === "application/grpc-web+proto") return null;
  return new RealtimeError(`The answer is ${type || "untyped"}, not grpc-web.`, { kind: "unsupported" });
}

function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not percent-coded after all
  }
}

/** ErrorInfo and RetryInfo out of google.rpc.Status, read by hand: its generated code would be larger. */
function readDetails(field: Field): Details {
  const encoded = field("grpc-status-details-bin");
  if (!encoded) return {};
  let details: Details = {};
  try {
    eachField(fromBase64(encoded), (number, body) => {
      if (number === 3) details = { ...details, ...readAny(body) };
    });
  } catch {
    return {}; // the status itself is what counts
  }
  return details;
}

function readAny(any: Uint8Array): Details {
  let type = "";
  let value = new Uint8Array(0);
  eachField(any, (number, body) => {
    if (number === 1) type = utf8(body);
    if (number === 2) value = new Uint8Array(body);
  });
  if (type.endsWith("/google.rpc.ErrorInfo")) return readErrorInfo(value);
  if (type.endsWith("/google.rpc.RetryInfo")) return readRetryInfo(value);
  return {};
}

function readErrorInfo(info: Uint8Array): Details {
  let reason: ErrorReason = ErrorReason.UNSPECIFIED;
  const metadata: Record<string, string> = {};
  eachField(info, (number, body) => {
    if (number === 1) reason = ErrorReason[utf8(body) as keyof typeof ErrorReason] ?? reason;
    if (number === 3) {
      const pair = new Map<number, string>();
      eachField(body, (part, bytes) => pair.set(part, utf8(bytes)));
      metadata[pair.get(1) ?? ""] = pair.get(2) ?? "";
    }
  });
  return { reason, metadata };
}

function readRetryInfo(info: Uint8Array): Details {
  let retryAfterMs: number | null = null;
  eachField(info, (number, body) => {
    if (number !== 1) return;
    const reader = new BinaryReader(body);
    retryAfterMs = 0;
    while (reader.pos < reader.len) {
      const [part, wire] = reader.tag();
      if (part === 1) retryAfterMs += Number(reader.int64()) * 1000;
      else if (part === 2) retryAfterMs += reader.int32() / 1e6;
      else reader.skip(wire);
    }
  });
  return { retryAfterMs };
}

/** Calls `visit` for each length-delimited field. */
function eachField(bytes: Uint8Array, visit: (number: number, body: Uint8Array) => void): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (wire === WireType.LengthDelimited) visit(number, reader.bytes());
    else reader.skip(wire);
  }
}

function utf8(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function fromBase64(text: string): Uint8Array {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (char) => char.charCodeAt(0));
}
