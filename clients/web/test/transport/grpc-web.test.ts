import { describe, expect, test } from "vitest";
import type { ErrorKind } from "../../src/errors.js";
import { ErrorReason } from "../../src/gen/shipspeak/realtime/v1/error_reason_pb.js";
import { RealtimeService } from "../../src/gen/shipspeak/realtime/v1/realtime_service_pb.js";
import { encodeFrame } from "../../src/transport/framing.js";
import { GrpcWebTransport } from "../../src/transport/grpc-web.js";

const { touch, listen } = RealtimeService.method;
const GRPC_WEB = { "content-type": "application/grpc-web+proto" };

function trailer(text: string): Uint8Array<ArrayBuffer> {
  const frame = encodeFrame(new TextEncoder().encode(text));
  frame[0] = 0x80;
  return frame;
}

const OK = trailer("grpc-status: 0\r\n");
const EMPTY = encodeFrame(new Uint8Array(0));

function answering(
  parts: Uint8Array<ArrayBuffer>[],
  init: ResponseInit = { headers: GRPC_WEB },
): GrpcWebTransport {
  return new GrpcWebTransport({
    baseUrl: "http://hub",
    fetch: async () => new Response(new Blob(parts), init),
  });
}

function call(transport: GrpcWebTransport, signal = new AbortController().signal, timeoutMs?: number) {
  const options = { token: "t", signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  return transport.unary(touch, { sessionId: "s" }, options);
}

describe("what an answer means", () => {
  test("one message and an OK trailer", async () => {
    await expect(call(answering([EMPTY, OK]))).resolves.toMatchObject({ bytes: 0 });
  });

  const cases: [string, ErrorKind, () => GrpcWebTransport][] = [
    ["HTTP 404", "unsupported", () => answering([], { status: 404 })],
    ["HTTP 405", "unsupported", () => answering([], { status: 405 })],
    ["HTTP 415", "unsupported", () => answering([], { status: 415 })],
    ["HTTP 426", "unsupported", () => answering([], { status: 426 })],
    ["HTTP 501", "unsupported", () => answering([], { status: 501 })],
    ["HTTP 401", "auth", () => answering([], { status: 401 })],
    ["HTTP 403", "permission", () => answering([], { status: 403 })],
    ["HTTP 502", "network", () => answering([], { status: 502 })],
    ["HTTP 503", "network", () => answering([], { status: 503 })],
    [
      "a page of a captive portal",
      "unsupported",
      () => answering([OK], { headers: { "content-type": "text/html" } }),
    ],
    ["UNIMPLEMENTED", "unsupported", () => answering([trailer("grpc-status: 12")])],
    ["UNAUTHENTICATED", "auth", () => answering([trailer("grpc-status: 16")])],
    ["PERMISSION_DENIED", "permission", () => answering([trailer("grpc-status: 7")])],
    ["RESOURCE_EXHAUSTED", "busy", () => answering([trailer("grpc-status: 8")])],
    ["UNAVAILABLE", "network", () => answering([trailer("grpc-status: 14")])],
    ["INVALID_ARGUMENT", "refused", () => answering([trailer("grpc-status: 3")])],
    ["DEADLINE_EXCEEDED", "timeout", () => answering([trailer("grpc-status: 4")])],
    ["an end without a trailer", "network", () => answering([EMPTY])],
    ["an end inside a frame", "network", () => answering([EMPTY.slice(0, 3)])],
    ["no message", "protocol", () => answering([OK])],
    ["two messages", "protocol", () => answering([EMPTY, EMPTY, OK])],
    ["no status", "protocol", () => answering([EMPTY, trailer("x: 1")])],
    ["a message that cannot be read", "protocol", () => answering([encodeFrame(new Uint8Array([0xff])), OK])],
  ];
  test.each(cases)("%s is %s", async (_name, kind, make) => {
    await expect(call(make())).rejects.toMatchObject({ name: "RealtimeError", kind });
  });

  test("a status in the headers counts too", async () => {
    const headers = { ...GRPC_WEB, "grpc-status": "16", "grpc-message": "no%20token" };
    await expect(call(answering([], { headers }))).rejects.toMatchObject({
      kind: "auth",
      message: "no token",
    });
  });

  test("a refused connection is the network, whatever the text", async () => {
    const fetch = () => Promise.reject(new TypeError("NetworkError when attempting to fetch resource."));
    await expect(call(new GrpcWebTransport({ baseUrl: "", fetch }))).rejects.toMatchObject({
      kind: "network",
    });
  });

  test("reason, metadata and retry time come out of the details", async () => {
    // google.rpc.Status{8, "slow", [ErrorInfo{RATE_LIMITED, metadata max=5}, RetryInfo{2.5 s}]}
    const info = field(1, "RATE_LIMITED") + field(3, field(1, "max") + field(2, "5"));
    const retry = field(1, "\x08\x02\x10\x80\xca\xb5\xee\x01");
    const any = (type: string, value: string) =>
      field(1, `type.googleapis.com/google.rpc.${type}`) + field(2, value);
    const status = `\x08\x08${field(2, "slow")}${field(3, any("ErrorInfo", info))}${field(3, any("RetryInfo", retry))}`;
    const details = btoa(status).replaceAll("=", "");
    const transport = answering([trailer(`grpc-status: 8\r\ngrpc-status-details-bin: ${details}\r\n`)]);
    await expect(call(transport)).rejects.toMatchObject({
      kind: "busy",
      reason: ErrorReason.RATE_LIMITED,
      metadata: { max: "5" },
      retryAfterMs: 2500,
    });
  });
});

/** A length-delimited protobuf field in latin-1 text. */
function field(number: number, body: string): string {
  return String.fromCharCode((number << 3) | 2, body.length) + body;
}

describe("the end of a call", () => {
  function hanging(signals: AbortSignal[]): GrpcWebTransport {
    return new GrpcWebTransport({
      baseUrl: "",
      fetch: (_url, init) => {
        const signal = init?.signal as AbortSignal;
        signals.push(signal);
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
    });
  }

  test("the caller's signal gives `aborted`", async () => {
    const stop = new AbortController();
    const answer = call(hanging([]), stop.signal);
    stop.abort();
    await expect(answer).rejects.toMatchObject({ kind: "aborted" });
  });

  test("the deadline gives `timeout`", async () => {
    await expect(call(hanging([]), new AbortController().signal, 5)).rejects.toMatchObject({
      kind: "timeout",
    });
  });

  test("leaving a stream early ends the HTTP request", async () => {
    const signals: AbortSignal[] = [];
    const transport = new GrpcWebTransport({
      baseUrl: "",
      fetch: async (_url, init) => {
        signals.push(init?.signal as AbortSignal);
        return new Response(new Blob([EMPTY, EMPTY, OK]), { headers: GRPC_WEB });
      },
    });
    for await (const { bytes } of transport.serverStream(
      listen,
      {},
      { token: "", signal: new AbortController().signal },
    )) {
      expect(bytes).toBe(0);
      break;
    }
    expect(signals[0]?.aborted).toBe(true);
  });
});
