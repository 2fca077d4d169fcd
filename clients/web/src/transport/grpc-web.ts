import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { RealtimeError, toRealtimeError } from "../errors.js";
import { encodeFrame, FrameReader } from "./framing.js";
import { type OpenSocket, socketOpener } from "./socket.js";
import { errorOfHttp, errorOfStatusFields } from "./status.js";
import type { CallOptions, Sized, Transport } from "./transport.js";

const CONTENT_TYPE = "application/grpc-web+proto";

export interface GrpcWebOptions {
  /** Where the hub's services are mounted, without a slash at the end; empty = the page's own origin. */
  readonly baseUrl: string;
  readonly fetch?: typeof globalThis.fetch;
}

/** Binary grpc-web over fetch for unary calls and server streams, and the hub's WebSocket beside it. */
export class GrpcWebTransport implements Transport {
  readonly openSocket: OpenSocket | undefined;
  readonly #baseUrl: string;
  readonly #fetch: typeof globalThis.fetch;

  constructor(options: GrpcWebOptions) {
    this.#baseUrl = options.baseUrl.replace(/\/$/, "");
    this.openSocket = socketOpener(this.#baseUrl);
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  }

  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions,
  ): Promise<Sized<MessageShape<O>>> {
    let answer: Sized<MessageShape<O>> | undefined;
    for await (const sized of this.#call<I, O>(method, request, options)) {
      if (answer) throw new RealtimeError("A unary answer has two messages.", { kind: "protocol" });
      answer = sized;
    }
    if (!answer) throw new RealtimeError("A unary answer has no message.", { kind: "protocol" });
    return answer;
  }

  serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions,
  ): AsyncIterable<Sized<MessageShape<O>>> {
    return this.#call<I, O>(method, request, options);
  }

  async *#call<I extends DescMessage, O extends DescMessage>(
    method: DescMethod & { input: I; output: O },
    request: MessageInitShape<I>,
    options: CallOptions,
  ): AsyncGenerator<Sized<MessageShape<O>>, void, undefined> {
    // Leaving the loop early does not end a fetch; only the signal does, so every call has one of its own.
    const call = new AbortController();
    const giveUp = () => call.abort();
    options.signal.addEventListener("abort", giveUp);
    if (options.signal.aborted) giveUp();
    const deadline = options.timeoutMs ? new Deadline(options.timeoutMs, giveUp) : null;
    try {
      const response = await this.#post(method, request, options, call.signal);
      yield* readAnswer(response, method.output);
    } catch (thrown) {
      throw classify(thrown, options.signal, deadline);
    } finally {
      deadline?.clear();
      options.signal.removeEventListener("abort", giveUp);
      call.abort();
    }
  }

  #post<I extends DescMessage>(
    method: DescMethod & { input: I },
    request: MessageInitShape<I>,
    options: CallOptions,
    signal: AbortSignal,
  ): Promise<Response> {
    const headers = new Headers({ "content-type": CONTENT_TYPE, accept: CONTENT_TYPE, "x-grpc-web": "1" });
    if (options.token) headers.set("authorization", `Bearer ${options.token}`);
    if (options.timeoutMs) headers.set("grpc-timeout", `${Math.ceil(options.timeoutMs)}m`);
    return this.#fetch(`${this.#baseUrl}/${method.parent.typeName}/${method.name}`, {
      method: "POST",
      headers,
      body: encodeFrame(toBinary(method.input, create(method.input, request))),
      signal,
      cache: "no-store",
      redirect: "error",
    });
  }
}

/** A limit in time that remembers whether it was what ended the call. */
class Deadline {
  passed = false;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(ms: number, onPassed: () => void) {
    this.#timer = setTimeout(() => {
      this.passed = true;
      onPassed();
    }, ms);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}

async function* readAnswer<O extends DescMessage>(
  response: Response,
  output: O,
): AsyncGenerator<Sized<MessageShape<O>>, void, undefined> {
  const httpError = errorOfHttp(response.status, response.headers.get("content-type"));
  if (httpError) throw httpError;
  if (response.headers.has("grpc-status")) {
    const early = errorOfStatusFields((name) => response.headers.get(name));
    if (early) throw early;
  }
  if (!response.body) throw lost();
  const frames = new FrameReader();
  const reader = response.body.getReader();
  let complete = false;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    for (const frame of frames.push(value)) {
      if (frame.kind === "message") {
        yield { message: fromBinary(output, frame.body), bytes: frame.body.length };
        continue;
      }
      const error = errorOfStatusFields((name) => frame.fields.get(name));
      if (error) throw error;
      complete = true;
    }
  }
  // WebKit reports a connection cut in the middle as an ordinary end, so only a trailer proves completeness.
  if (!complete) throw lost();
}

function lost(): RealtimeError {
  return new RealtimeError("The connection broke off before the answer was complete.", { kind: "network" });
}

/** Judged by who ended the call and by type, never by the text, which differs in each browser. */
function classify(thrown: unknown, signal: AbortSignal, deadline: Deadline | null): RealtimeError {
  if (signal.aborted) return new RealtimeError("The call was given up.", { kind: "aborted", cause: thrown });
  if (deadline?.passed) return new RealtimeError("No answer in time.", { kind: "timeout", cause: thrown });
  return toRealtimeError(thrown);
}
