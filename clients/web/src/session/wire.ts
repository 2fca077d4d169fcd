import type { ToldStep } from "../connection/told-step.js";
import type { ServerFrame } from "../gen/shipspeak/realtime/v1/frame_pb.js";
import { RealtimeService } from "../gen/shipspeak/realtime/v1/realtime_service_pb.js";
import type { SubscribeInit } from "../topics/registry.js";
import type { Sized } from "../transport/transport.js";
import { type Commands, UnaryCommands } from "./commands.js";
import { hello, type SessionContext, WINDOW_BYTES } from "./context.js";

/** One way of a session on which the hub pushes: frames in, commands out. */
export interface Wire {
  /**
   * Opens the session and gives its frames. Ends by itself only when the hub ended it in good order; fails with
   * RealtimeError. `step` is for Hello.
   */
  frames(subscriptions: readonly SubscribeInit[], step: ToldStep | null): AsyncIterable<Sized<ServerFrame>>;
  /** For the session that Welcome has named. */
  commands(sessionId: string): Commands;
}

/** A grpc-web server stream, with unary calls for the commands. */
export class ListenWire implements Wire {
  readonly #context: SessionContext;
  readonly #signal: AbortSignal;

  constructor(context: SessionContext, signal: AbortSignal) {
    this.#context = context;
    this.#signal = signal;
  }

  frames(subscriptions: readonly SubscribeInit[], step: ToldStep | null): AsyncIterable<Sized<ServerFrame>> {
    const { transport, tokens } = this.#context;
    const request = { hello: hello(this.#context, WINDOW_BYTES, step), subscriptions: [...subscriptions] };
    const options = { token: tokens.current, signal: this.#signal };
    return transport.serverStream(RealtimeService.method.listen, request, options);
  }

  commands(sessionId: string): Commands {
    return new UnaryCommands(this.#context, sessionId, this.#signal);
  }
}
