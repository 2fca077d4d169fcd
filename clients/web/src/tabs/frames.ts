import { create } from "@bufbuild/protobuf";
import { RealtimeError } from "../errors.js";
import { GoAwayAction, type ServerFrame, ServerFrameSchema } from "../gen/shipspeak/realtime/v1/frame_pb.js";
import { toDuration } from "../time.js";
import type { Sized } from "../transport/transport.js";
import type { LeaderState } from "./messages.js";

/** The session id of a relayed stream: calls about it go to the leader. */
export const RELAYED = "relayed";

/** A frame that no network has carried. */
export function made(message: ServerFrame): Sized<ServerFrame> {
  return { message, bytes: 0 };
}

/** The begin of a relayed stream. */
export function welcome({ beatMs }: LeaderState): ServerFrame {
  // The stream's own patience is longer than the watch on the leader, which comes first.
  const value = { sessionId: RELAYED, protocolVersion: 1, heartbeatInterval: toDuration(beatMs * 2) };
  return create(ServerFrameSchema, { control: { case: "welcome", value } });
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
