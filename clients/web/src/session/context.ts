import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Meter } from "../connection/meter.js";
import type { Timing } from "../connection/timing.js";
import type { ToldStep } from "../connection/told-step.js";
import type { Environment } from "../environment.js";
import type { HelloSchema } from "../gen/shipspeak/realtime/v1/frame_pb.js";
import type { PresenceBook } from "../presence/book.js";
import type { TopicRegistry } from "../topics/registry.js";
import type { Count } from "../topics/types.js";
import type { CallOptions, Transport } from "../transport/transport.js";
import type { HubClock } from "./hub-clock.js";
import type { TokenSource } from "./token.js";

/** Version of the protocol that this package speaks. */
export const PROTOCOL_VERSION = 1;
/** In-flight bytes asked for on a stream; one Touch is sent for each quarter. */
export const WINDOW_BYTES = 262_144;
export const SDK = "shipspeak-realtime-web/0.1.0";

/** What every session of one client shares. */
export interface SessionContext {
  readonly transport: Transport;
  readonly environment: Environment;
  readonly timing: Timing;
  readonly registry: TopicRegistry;
  readonly presence: PresenceBook;
  readonly tokens: TokenSource;
  readonly clientId: string;
  readonly deviceId: string;
  readonly count: Count;
  readonly meter: Meter;
  readonly clock: HubClock;
  /** A round trip was measured, in milliseconds. */
  readonly onRoundTrip: (ms: number) => void;
}

export function hello(
  context: SessionContext,
  windowBytes: number,
  step: ToldStep | null = null,
): MessageInitShape<typeof HelloSchema> {
  return {
    protocolVersion: PROTOCOL_VERSION,
    clientId: context.clientId,
    deviceId: context.deviceId,
    sdk: SDK,
    windowBytes: BigInt(windowBytes),
    ...(step ? { step } : {}),
  };
}

/** Options of a unary call that may last `ms`, the usual limit by default. */
export function callOptions(context: SessionContext, signal: AbortSignal, ms?: number): CallOptions {
  return { token: context.tokens.current, signal, timeoutMs: ms ?? context.timing.callMs };
}
