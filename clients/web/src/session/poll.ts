import type { SessionMeter } from "../connection/meter.js";
import type { ToldStep } from "../connection/told-step.js";
import { RealtimeError } from "../errors.js";
import { RealtimeService } from "../gen/shipspeak/realtime/v1/realtime_service_pb.js";
import { durationMs, toDuration } from "../time.js";
import { callOptions, hello, type SessionContext } from "./context.js";
import { eventsIn } from "./frames.js";
import { Health, SERVING } from "./health.js";

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
  { measure, step }: { measure: SessionMeter; step: ToldStep | null } = { measure: () => {}, step: null },
): Promise<PollNews> {
  const { transport, registry, timing, environment, count, onRoundTrip } = context;
  const request = {
    hello: hello(context, 0, step),
    subscriptions: registry.subscriptions({ presence: false }),
    ...(waitMs > 0 ? { wait: toDuration(waitMs) } : {}),
  };
  const began = environment.now();
  const options = callOptions(context, signal, waitMs + timing.callMs);
  const { message, bytes } = await transport.unary(RealtimeService.method.poll, request, options);
  if (signal.aborted) throw new RealtimeError("The call was given up.", { kind: "aborted" });
  if (waitMs === 0) onRoundTrip(environment.now() - began);
  measure(
    bytes,
    message.frames.reduce((sum, frame) => sum + eventsIn(frame), 0),
  );
  let moved = false;
  for (const frame of message.frames) {
    moved ||= frame.runs.length > 0;
    registry.receive(frame); // a hole mends itself: the next Poll starts from the own position
  }
  if (moved) count("bytes", bytes);
  return { more: message.more, moved, nextAfterMs: durationMs(message.nextPollAfter) };
}

/** Asks the hub's health, for when there is no topic to poll. Fails with RealtimeError, also when it does not serve. */
export async function ping(context: SessionContext, signal: AbortSignal): Promise<void> {
  const { transport, environment, onRoundTrip } = context;
  const began = environment.now();
  const { message } = await transport.unary(Health.method.check, {}, callOptions(context, signal));
  if (message.status !== SERVING) throw new RealtimeError("The hub does not serve now.", { kind: "network" });
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
