import { RealtimeService } from "../gen/shipspeak/realtime/v1/realtime_service_pb.js";
import { authorized } from "../session/authorized.js";
import { callOptions, hello, type SessionContext } from "../session/context.js";
import type { SubscribeInit } from "../topics/registry.js";
import type { Transport } from "../transport/transport.js";
import type { Caught } from "./follower.js";

/** Asks the hub, by one Poll that does not wait, for what some topics have missed. Fails with RealtimeError. */
export async function catchUp(
  session: SessionContext,
  transport: Transport,
  subscriptions: SubscribeInit[],
  signal: AbortSignal,
): Promise<Caught> {
  const request = { hello: hello(session, 0), subscriptions };
  const { message } = await authorized(session, () =>
    transport.unary(RealtimeService.method.poll, request, callOptions(session, signal)),
  );
  return message;
}
