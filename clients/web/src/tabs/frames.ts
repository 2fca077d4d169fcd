import { create } from "@bufbuild/protobuf";
import { RealtimeError } from "../errors.js";
import { Code } from "../gen/google/rpc/code_pb.js";
import { ErrorReason } from "../gen/shipspeak/realtime/v1/error_reason_pb.js";
import { GoAwayAction, type ServerFrame, ServerFrameSchema } from "../gen/shipspeak/realtime/v1/frame_pb.js";
import { toDuration } from "../time.js";
import type { Sized } from "../transport/transport.js";
import type { LeaderState } from "./messages.js";
import { POLL_BEAT_MS } from "./snapshot.js";

/** The session id of a relayed stream; the hub knows none of it. */
const RELAYED = "relayed";

/** A frame that no network has carried. */
export function made(message: ServerFrame): Sized<ServerFrame> {
  return { message, bytes: 0 };
}

/** The begin of a relayed stream. */
export function welcome({ beatMs }: LeaderState): ServerFrame {
  // The stream's own patience is longer than the watch on the leader, which comes first, also when it polls later on.
  const intervalMs = Math.max(beatMs, POLL_BEAT_MS) * 2;
  const value = { sessionId: RELAYED, protocolVersion: 1, heartbeatInterval: toDuration(intervalMs) };
  return create(ServerFrameSchema, { control: { case: "welcome", value } });
}

/** The leader has given a sign of life. */
export function heartbeat(): ServerFrame {
  return create(ServerFrameSchema, { control: { case: "heartbeat", value: {} } });
}

/** What cannot be asked for at intervals, since it has no log, and is not relayed: its leader may not read it. */
export function refused(topic: string): ServerFrame {
  const message = "The tab that leads may not read this topic.";
  const value = { topic, message, code: Code.PERMISSION_DENIED, reason: ErrorReason.RIGHT_MISSING };
  return create(ServerFrameSchema, { control: { case: "error", value } });
}

/** Come back at once: the next stream is another one. */
export function moved(): ServerFrame {
  const value = { action: GoAwayAction.RESUME, within: toDuration(0) };
  return create(ServerFrameSchema, { control: { case: "goAway", value } });
}

/** The leader's connection is gone, and with it this tab's. */
export function lost(): RealtimeError {
  return new RealtimeError("The tab that leads has lost its connection.", { kind: "network" });
}
