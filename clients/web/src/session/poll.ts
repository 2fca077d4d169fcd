import { RealtimeError } from "../errors.js";
import { RealtimeService } from "../gen/shipspeak/realtime/v1/realtime_service_pb.js";
import { durationMs, toDuration } from "../time.js";
import { callOptions, hello, type SessionContext } from "./context.js";

/** Names no session. */
const NO_SESSION = "none";

/** What one Poll brought. */
export interface PollNews {
  /** Ask again at once. */
  readonly more: boolean;
  /** Events or accounts of events came. */
  readonly moved: boolean;
  /** The hub's wish for the time before the next call, in milliseconds; null = at once. */
  readonly nextAfterMs: number | null;
}

/** One Poll from the present positions; its frames go to the registry. Fails with RealtimeError. */
export async function pollOnce(
  context: SessionContext,
  waitMs: number,
  signal: AbortSignal,
): Promise<PollNews> {
  const { transport, registry, timing, environment, count, onRoundTrip } = context;
  const request = {
    hello: hello(context, 0),
    subscriptions: registry.subscriptions(),
    ...(waitMs > 0 ? { wait: toDuration(waitMs) } : {}),
  };
  const began = environment.now();
  const options = callOptions(context, signal, waitMs + timing.callMs);
  const { message, bytes } = await transport.unary(RealtimeService.method.poll, request, options);
  if (signal.aborted) throw new RealtimeError("The call was given up.", { kind: "aborted" });
  if (waitMs === 0) onRoundTrip(environment.now() - began);
  let moved = false;
  for (const frame of message.frames) {
    moved ||= frame.runs.length > 0;
    registry.receive(frame); // a hole mends itself: the next Poll starts from the own position
  }
  if (moved) count("bytes", bytes);
  return { more: message.more, moved, nextAfterMs: durationMs(message.nextPollAfter) };
}

/** One call that asks for nothing, for when there is no topic to poll. Fails with RealtimeError. */
export async function ping(context: SessionContext, signal: AbortSignal): Promise<void> {
  const { transport, environment, onRoundTrip } = context;
  const began = environment.now();
  try {
    const options = callOptions(context, signal);
    await transport.unary(RealtimeService.method.touch, { sessionId: NO_SESSION }, options);
  } catch (thrown) {
    // That it does not know this session is an answer in the hub's own words, which is all that is asked for.
    if (!(thrown instanceof RealtimeError) || thrown.kind !== "refused") throw thrown;
  }
  onRoundTrip(environment.now() - began);
}

/** Whether unary calls get through, found out by a Poll that does not wait; what it brings is delivered. */
export async function unaryWorks(context: SessionContext, signal: AbortSignal): Promise<boolean> {
  try {
    if (context.registry.subscriptions().length === 0) await ping(context, signal);
    else await pollOnce(context, 0, signal);
    return true;
  } catch (thrown) {
    return thrown instanceof RealtimeError && thrown.kind === "refused";
  }
}
