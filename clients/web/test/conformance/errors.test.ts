import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { INITIAL, transition } from "../../src/connection/machine.js";
import { type ErrorKind, errorFromStatus, RealtimeError } from "../../src/errors.js";
import { Code } from "../../src/gen/google/rpc/code_pb.js";
import { ErrorReason } from "../../src/gen/shipspeak/realtime/v1/error_reason_pb.js";
import { RealtimeService } from "../../src/gen/shipspeak/realtime/v1/realtime_service_pb.js";
import { GrpcWebTransport } from "../../src/transport/grpc-web.js";
import { errorOfHttp } from "../../src/transport/status.js";

interface Vectors {
  statuses: {
    name: string;
    code: keyof typeof Code;
    reason?: keyof typeof ErrorReason;
    retry_after_ms?: number;
    kind: string;
    session: "again" | "token" | "stop" | "step_down" | null;
  }[];
  http: { name: string; status: number; content_type: string | null; kind: ErrorKind | null }[];
  causes: { name: string; cause: string; kind: ErrorKind }[];
}

const url = new URL("../../../../tests/conformance/vectors/errors.json", import.meta.url);
const vectors = JSON.parse(readFileSync(url, "utf8")) as Vectors;

/** What this SDK calls a kind of the vectors, where that is another name. */
const NAMES: Readonly<Record<string, ErrorKind>> = { server: "network", feature: "refused" };

const AFTER = { again: "backoff", token: "authenticating", stop: "failed", step_down: "connecting" } as const;

describe("what an error means, by the vectors shared with the Python SDK", () => {
  test.each(vectors.statuses)("$name", ({ code, reason, retry_after_ms, kind, session }) => {
    const retryAfterMs = retry_after_ms ?? null;
    const error = errorFromStatus(Code[code], "", {
      reason: ErrorReason[reason ?? "UNSPECIFIED"],
      retryAfterMs,
    });
    expect(error.kind).toBe(NAMES[kind] ?? kind);
    if (session === null) return;
    const facts = { at: 0, online: true, unaryWorks: false, hiding: false, livedMs: null, waiting: false };
    const [state, effects] = transition(
      { ...INITIAL, phase: "connecting" },
      { type: "lost", error, ...facts },
    );
    expect(state.phase).toBe(AFTER[session]);
    expect(state.rung).toBe(session === "step_down" ? "websocket" : "stream");
    if (retryAfterMs !== null) {
      expect(effects).toContainEqual({ type: "wait", wait: { kind: "hint", hintMs: retryAfterMs } });
    }
  });

  test.each(vectors.http)("$name", ({ status, content_type, kind }) => {
    expect(errorOfHttp(status, content_type)?.kind ?? null).toBe(kind);
  });

  test.each(vectors.causes)("$name", async ({ cause, kind }) => {
    const stop = new AbortController();
    const fetch = FETCHES[cause];
    if (!fetch) throw new Error(`no way to cause ${cause}`);
    const transport = new GrpcWebTransport({ baseUrl: "http://hub", fetch });
    const limit = cause === "deadline" ? { timeoutMs: 5 } : {};
    if (cause === "given_up") stop.abort();
    const call = transport.unary(
      RealtimeService.method.touch,
      {},
      { token: "", signal: stop.signal, ...limit },
    );
    const error = await call.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RealtimeError);
    expect((error as RealtimeError).kind).toBe(kind);
  });
});

const HEADERS = { headers: { "content-type": "application/grpc-web+proto" } };

const FETCHES: Readonly<Record<string, typeof fetch>> = {
  connection_failed: () => Promise.reject(new TypeError("whatever this browser says")),
  broken_off: async () =>
    new Response(new ReadableStream({ pull: (to) => to.error(new TypeError("cut")) }), HEADERS),
  no_trailer: async () => new Response(new Uint8Array(5), HEADERS),
  deadline: (_, init) => untilAborted(init?.signal),
  given_up: (_, init) => untilAborted(init?.signal),
  bad_bytes: async () => new Response("<html>not at all</html>", HEADERS),
};

function untilAborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(new DOMException("aborted", "AbortError"));
    if (signal?.aborted) fail();
    signal?.addEventListener("abort", fail);
  });
}
