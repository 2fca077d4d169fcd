import { create } from "@bufbuild/protobuf";
import { type Client, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { Start } from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";
import {
  PollRequestSchema,
  RealtimeService,
} from "../../src/gen/shipspeak/realtime/v1/realtime_service_pb.js";
import { type Calls, draft, type Failure, hello, LONG_WAIT } from "./calls.js";

/** connect-web 2.2, binary grpc-web. */
export function connectCalls(baseUrl: string): Calls {
  const client = createClient(RealtimeService, createGrpcWebTransport({ baseUrl }));
  return {
    publish: async (topic, id) => (await client.publish({ drafts: [draft(topic, id)] })).results,
    poll: async (topic) => (await client.poll({ hello, subscriptions: [earliest(topic)] })).frames,
    listen: async function* (topic, signal) {
      yield* client.listen({ hello, subscriptions: [earliest(topic)] }, { signal });
    },
    cancelledPoll: (topic, signal) => failureOf(longPoll(client, topic, { signal })),
    latePoll: (topic, timeoutMs) => failureOf(longPoll(client, topic, { timeoutMs })),
    pollWithoutTopics: () => failureOf(client.poll({ hello })),
    pollWithToken: (topic, token) => {
      const headers = { authorization: `Bearer ${token}` };
      return failureOf(client.poll({ hello, subscriptions: [earliest(topic)] }, { headers }));
    },
  };
}

function earliest(topic: string) {
  return { topic, start: { case: "at" as const, value: Start.EARLIEST } };
}

/** Waits at the hub, as there is nothing new behind the cursor of a topic that was just read. */
async function longPoll(
  client: Client<typeof RealtimeService>,
  topic: string,
  options: object,
): Promise<unknown> {
  const { frames } = await client.poll({ hello, subscriptions: [{ topic }] });
  const control = frames.map((frame) => frame.control).find((one) => one.case === "subscribed");
  const position = control?.case === "subscribed" ? control.value.position : undefined;
  if (!position) throw new Error("a Poll without a position gave none");
  const subscriptions = [{ topic, start: { case: "position" as const, value: position } }];
  return client.poll(create(PollRequestSchema, { hello, subscriptions, wait: LONG_WAIT }), options);
}

async function failureOf(call: Promise<unknown>): Promise<Failure> {
  try {
    await call;
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    const details = error.metadata.get("grpc-status-details-bin") ?? "";
    return { code: error.code, message: error.rawMessage, hasDetails: details !== "" };
  }
  throw new Error("the call succeeded");
}
