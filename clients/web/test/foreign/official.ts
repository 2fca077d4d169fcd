import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { GrpcWebClientBase, type Metadata, MethodDescriptor, type RpcError } from "grpc-web";
import { type ServerFrame, Start } from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";
import { RealtimeService } from "../../src/gen/shipspeak/realtime/v1/realtime_service_pb.js";
import { type Calls, draft, type Failure, hello, LONG_WAIT } from "./calls.js";

const { publish, poll, listen } = RealtimeService.method;

/** The official grpc-web 2.1 in text mode, with method descriptors written by hand over protobuf-es messages. */
export function officialCalls(baseUrl: string): Calls {
  const client = new GrpcWebClientBase({ format: "text" });
  const address = (method: DescMethod) => `${baseUrl}/${method.parent.typeName}/${method.name}`;

  function unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethod & { input: I; output: O },
    init: MessageInitShape<I>,
    metadata: Metadata = {},
    signal?: AbortSignal,
  ): Promise<MessageShape<O>> {
    const request = create(method.input, init);
    return new Promise((resolve, reject) => {
      const stream = client.rpcCall(
        address(method),
        request,
        metadata,
        descriptor(method, "unary"),
        (error, answer) => (error ? reject(error) : resolve(answer)),
      );
      signal?.addEventListener("abort", () => {
        stream.cancel();
        reject({ code: 1, message: "cancelled here", metadata: {} });
      });
    });
  }

  async function longPoll(topic: string, metadata: Metadata, signal?: AbortSignal): Promise<unknown> {
    const { frames } = await unary(poll, { hello, subscriptions: [{ topic }] });
    const control = frames.map((frame) => frame.control).find((one) => one.case === "subscribed");
    const position = control?.case === "subscribed" ? control.value.position : undefined;
    if (!position) throw new Error("a Poll without a position gave none");
    const subscriptions = [{ topic, start: { case: "position" as const, value: position } }];
    return unary(poll, { hello, subscriptions, wait: LONG_WAIT }, metadata, signal);
  }

  return {
    publish: async (topic, id) => (await unary(publish, { drafts: [draft(topic, id)] })).results,
    poll: async (topic) => (await unary(poll, { hello, subscriptions: [earliest(topic)] })).frames,
    listen: async function* (topic, signal) {
      const request = create(listen.input, { hello, subscriptions: [earliest(topic)] });
      const stream = client.serverStreaming(
        address(listen),
        request,
        {},
        descriptor(listen, "server_streaming"),
      );
      const queue: ServerFrame[] = [];
      let failure: RpcError | null = null;
      let wake = () => {};
      stream.on("data", (frame) => {
        queue.push(frame);
        wake();
      });
      stream.on("error", (error) => {
        failure = error;
        wake();
      });
      signal.addEventListener("abort", () => {
        stream.cancel();
        failure = { code: 1, message: "cancelled here" } as RpcError;
        wake();
      });
      for (;;) {
        const next = queue.shift();
        if (next) yield next;
        else if (failure) throw failure;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    },
    cancelledPoll: (topic, signal) => failureOf(longPoll(topic, {}, signal)),
    latePoll: (topic, ms) => failureOf(longPoll(topic, { deadline: String(Date.now() + ms) })),
    pollWithoutTopics: () => failureOf(unary(poll, { hello })),
    pollWithToken: (topic, token) => {
      const metadata = { authorization: `Bearer ${token}` };
      return failureOf(unary(poll, { hello, subscriptions: [earliest(topic)] }, metadata));
    },
  };
}

function earliest(topic: string) {
  return { topic, start: { case: "at" as const, value: Start.EARLIEST } };
}

/** grpc-web names types by constructors, and never calls them. */
class Unused {}

function descriptor<I extends DescMessage, O extends DescMessage>(
  method: DescMethod & { input: I; output: O },
  type: "unary" | "server_streaming",
): MethodDescriptor<MessageShape<I>, MessageShape<O>> {
  return new MethodDescriptor<MessageShape<I>, MessageShape<O>>(
    `/${method.parent.typeName}/${method.name}`,
    type,
    Unused as unknown as new () => MessageShape<I>,
    Unused as unknown as new () => MessageShape<O>,
    (request: MessageShape<I>) => toBinary(method.input, request),
    (bytes: Uint8Array) => fromBinary(method.output, bytes),
  );
}

async function failureOf(call: Promise<unknown>): Promise<Failure> {
  try {
    await call;
  } catch (thrown) {
    const { code, message, metadata } = thrown as RpcError;
    return { code, message, hasDetails: Boolean(metadata?.["grpc-status-details-bin"]) };
  }
  throw new Error("the call succeeded");
}
