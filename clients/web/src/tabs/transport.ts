import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { type PollResponse, RealtimeService } from "../gen/shipspeak/realtime/v1/realtime_service_pb.js";
import type { OpenSocket } from "../transport/socket.js";
import type { CallOptions, Sized, Transport } from "../transport/transport.js";
import type { Tabs } from "./tabs.js";

/** The way to the hub of a tab that shares its connection: while it leads, the others hear what its polls bring. */
export class TabTransport implements Transport {
  /** Set by the owner before the first call; null = share nothing. */
  tabs: Tabs | null = null;
  readonly #base: Transport;

  constructor(base: Transport) {
    this.#base = base;
  }

  get openSocket(): OpenSocket | undefined {
    return this.#base.openSocket;
  }

  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions,
  ): Promise<Sized<MessageShape<O>>> {
    const answer = await this.#base.unary(method, request, options);
    const name: string = method.name;
    if (this.tabs?.role === "leader" && name === RealtimeService.method.poll.name) {
      const { frames } = answer.message as unknown as PollResponse;
      for (const frame of frames) this.tabs.heard(frame);
      this.tabs.beat();
    }
    return answer;
  }

  serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions,
  ): AsyncIterable<Sized<MessageShape<O>>> {
    return this.#base.serverStream(method, request, options);
  }
}
