import {
  create,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import type { Environment } from "../environment.js";
import type { ServerFrame } from "../gen/shipspeak/realtime/v1/frame_pb.js";
import {
  type ListenRequest,
  type PollRequest,
  PollResponseSchema,
  RealtimeService,
  type TouchRequest,
  type UpdateSubscriptionsRequest,
} from "../gen/shipspeak/realtime/v1/realtime_service_pb.js";
import { durationMs } from "../time.js";
import type { OpenSocket } from "../transport/socket.js";
import type { CallOptions, Sized, Transport } from "../transport/transport.js";
import { moved, RELAYED } from "./frames.js";
import type { Said } from "./messages.js";
import type { Tabs } from "./tabs.js";

/**
 * The way to the hub of a tab that shares its connection: its streams are the hub's while it leads, and the leader's
 * relay while it follows. Other calls go to the hub, except those about a relayed session.
 */
export class TabTransport implements Transport {
  /** Set by the owner before the first call; null = share nothing. */
  tabs: Tabs | null = null;
  readonly #base: Transport;
  readonly #environment: Environment;

  constructor(base: Transport, environment: Environment) {
    this.#base = base;
    this.#environment = environment;
  }

  /** A socket is one tab's own: tabs that share go from the stream to polls at once. */
  get openSocket(): OpenSocket | undefined {
    return this.tabs ? undefined : this.#base.openSocket;
  }

  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions,
  ): Promise<Sized<MessageShape<O>>> {
    const { tabs } = this;
    const { poll, touch, updateSubscriptions } = RealtimeService.method;
    const name: string = method.name;
    if (tabs && name === poll.name) {
      const answer: unknown = await this.#poll(tabs, request as unknown as PollRequest, options);
      return answer as Sized<MessageShape<O>>;
    }
    if (tabs && name === touch.name) {
      const { sessionId, presence } = request as unknown as TouchRequest;
      const said = presence && saidOf(presence);
      if (sessionId === RELAYED) {
        if (said) tabs.follower.say(said);
        return { message: create(method.output), bytes: 0 };
      }
      if (said)
        return this.#base.unary(
          method,
          { ...request, presence: tabs.merged(said) } as typeof request,
          options,
        );
    }
    const { sessionId } = request as unknown as UpdateSubscriptionsRequest;
    if (sessionId === RELAYED) {
      if (name === updateSubscriptions.name) tabs?.follower.changed();
      return { message: create(method.output), bytes: 0 };
    }
    return this.#base.unary(method, request, options);
  }

  serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions,
  ): AsyncIterable<Sized<MessageShape<O>>> {
    const { tabs } = this;
    if (!tabs || method.name !== RealtimeService.method.listen.name) {
      return this.#base.serverStream(method, request, options);
    }
    const frames = this.#listen(tabs, request as unknown as ListenRequest, options);
    return frames as unknown as AsyncIterable<Sized<MessageShape<O>>>;
  }

  async *#listen(
    tabs: Tabs,
    request: ListenRequest,
    options: CallOptions,
  ): AsyncGenerator<Sized<ServerFrame>> {
    const role = await tabs.enter(options.signal);
    if (options.signal.aborted) return;
    if (role === "follower") yield* tabs.follower.frames(options.signal);
    else if (role === "leader") yield* this.#lead(tabs, request, options);
    else yield* this.#base.serverStream(RealtimeService.method.listen, request, options);
  }

  /** The hub's stream, for as long as this tab leads. */
  async *#lead(tabs: Tabs, request: ListenRequest, options: CallOptions): AsyncGenerator<Sized<ServerFrame>> {
    const { deposed } = tabs;
    const stop = new AbortController();
    const end = () => stop.abort();
    options.signal.addEventListener("abort", end);
    deposed.addEventListener("abort", end);
    if (deposed.aborted) end();
    const { listen } = RealtimeService.method;
    try {
      for await (const sized of this.#base.serverStream(listen, request, {
        ...options,
        signal: stop.signal,
      })) {
        if (deposed.aborted) break;
        tabs.heard(sized.message);
        yield sized;
      }
      if (deposed.aborted) yield { message: moved(), bytes: 0 };
    } catch (error) {
      if (!deposed.aborted) throw error;
      yield { message: moved(), bytes: 0 };
    } finally {
      options.signal.removeEventListener("abort", end);
      deposed.removeEventListener("abort", end);
      end();
    }
  }

  async #poll(
    tabs: Tabs,
    request: PollRequest,
    options: CallOptions,
  ): Promise<Sized<MessageShape<typeof PollResponseSchema>>> {
    const { poll } = RealtimeService.method;
    const waitMs = durationMs(request.wait) ?? 0;
    if (waitMs > 0) await tabs.enter(options.signal);
    if (waitMs > 0 && tabs.role === "follower" && tabs.follower.leader?.live) {
      let cancel = () => {};
      const over = new Promise<void>((resolve) => {
        cancel = this.#environment.schedule(resolve, waitMs);
      });
      try {
        const { frames, more } = await tabs.follower.poll(over, options.signal);
        return { message: create(PollResponseSchema, { frames: [...frames], more }), bytes: 0 };
      } finally {
        cancel();
      }
    }
    const answer = await this.#base.unary(poll, request, options);
    if (tabs.role === "leader") {
      for (const frame of answer.message.frames) tabs.heard(frame);
      tabs.beat();
    }
    return answer;
  }
}

function saidOf({ topic, state, metadata }: NonNullable<TouchRequest["presence"]>): Said {
  return { topic, state, metadata: { ...metadata } };
}
