import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { ToldStep } from "../connection/told-step.js";
import { RealtimeError, toRealtimeError } from "../errors.js";
import {
  ClientFrameSchema,
  type ServerFrame,
  ServerFrameSchema,
} from "../gen/shipspeak/realtime/v1/frame_pb.js";
import type { SubscribeInit } from "../topics/registry.js";
import { errorOfClose } from "../transport/socket.js";
import type { Sized } from "../transport/transport.js";
import type { Commands } from "./commands.js";
import { hello, type SessionContext, WINDOW_BYTES } from "./context.js";
import { SocketCommands } from "./socket-commands.js";
import type { Wire } from "./wire.js";

type ClientFrameInit = MessageInitShape<typeof ClientFrameSchema>;

/** A WebSocket: the frames of Connect both ways, one in each binary message. The token goes in Hello. */
export class SocketWire implements Wire {
  readonly #context: SessionContext;
  readonly #signal: AbortSignal;
  readonly #commands: SocketCommands;
  readonly #queue: Sized<ServerFrame>[] = [];
  #socket: WebSocket | null = null;
  #end: { readonly error: RealtimeError | null } | null = null;
  #wake: () => void = () => {};

  constructor(context: SessionContext, signal: AbortSignal) {
    this.#context = context;
    this.#signal = signal;
    this.#commands = new SocketCommands((frame) => this.#send(frame), signal);
  }

  commands(): Commands {
    return this.#commands;
  }

  async *frames(
    subscriptions: readonly SubscribeInit[],
    step: ToldStep | null,
  ): AsyncGenerator<Sized<ServerFrame>, void, undefined> {
    const socket = this.#open(subscriptions, step);
    try {
      for (;;) {
        // What came before the end is handed over first.
        for (let next = this.#queue.shift(); next; next = this.#queue.shift()) yield next;
        if (this.#end?.error) throw this.#end.error;
        if (this.#end) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      socket.close(1000);
    }
  }

  #open(subscriptions: readonly SubscribeInit[], step: ToldStep | null): WebSocket {
    const { openSocket } = this.#context.transport;
    if (!openSocket) throw new RealtimeError("There are no WebSockets here.", { kind: "unsupported" });
    const socket = openSocket();
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => {
      const first = { ...hello(this.#context, WINDOW_BYTES, step), token: this.#context.tokens.current };
      this.#send({ frame: { case: "hello", value: first } });
      this.#commands.begin(subscriptions);
    };
    socket.onmessage = ({ data }) => this.#take(data);
    // The close that follows an error says all that a page may know.
    socket.onclose = ({ code, reason }) => this.#finish(errorOfClose(code, reason));
    // Good-bye goes out behind what was said before; only with it others see at once that this client has left.
    this.#signal.addEventListener("abort", () => {
      socket.close(1000);
      this.#finish(new RealtimeError("The session was given up.", { kind: "aborted" }));
    });
    return socket;
  }

  #take(data: unknown): void {
    try {
      if (!(data instanceof ArrayBuffer))
        throw new RealtimeError("A text message came.", { kind: "protocol" });
      const message = fromBinary(ServerFrameSchema, new Uint8Array(data));
      if (this.#commands.answered(message)) return;
      this.#queue.push({ message, bytes: data.byteLength });
      this.#wake();
    } catch (thrown) {
      this.#finish(toRealtimeError(thrown));
    }
  }

  #finish(error: RealtimeError | null): void {
    this.#end ??= { error };
    this.#commands.end(this.#end.error);
    this.#wake();
  }

  #send(frame: ClientFrameInit): void {
    if (this.#socket?.readyState !== 1) return; // its end is told by the close
    this.#socket.send(toBinary(ClientFrameSchema, create(ClientFrameSchema, frame)));
  }
}
