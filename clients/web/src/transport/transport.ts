import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { OpenSocket } from "./socket.js";

export interface CallOptions {
  /** JWT for `authorization: Bearer`; empty = none. */
  readonly token: string;
  /** Ends the call at both ends. */
  readonly signal: AbortSignal;
  /** The call fails with `timeout` after this many milliseconds; unary calls only. */
  readonly timeoutMs?: number;
}

/** A message and its size on the wire, which the window report needs. */
export interface Sized<T> {
  readonly message: T;
  readonly bytes: number;
}

/**
 * One way to call the hub. Both methods fail with RealtimeError only. A stream ends normally only when the hub
 * said so with status OK; a connection that breaks off is an error of kind `network`.
 */
export interface Transport {
  /** Opens a WebSocket to the hub; absent = the ladder has no such rung. */
  readonly openSocket?: OpenSocket | undefined;

  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions,
  ): Promise<Sized<MessageShape<O>>>;

  serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions,
  ): AsyncIterable<Sized<MessageShape<O>>>;
}
