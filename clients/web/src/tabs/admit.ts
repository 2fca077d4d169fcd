import { create } from "@bufbuild/protobuf";
import type { TopicRun } from "../gen/shipspeak/realtime/v1/event_pb.js";
import { type ServerFrame, ServerFrameSchema, Verdict } from "../gen/shipspeak/realtime/v1/frame_pb.js";
import { type Position, resumeFrom } from "../topics/position.js";
import type { Start } from "../topics/types.js";
import type { Ready } from "./messages.js";

/** What a follower knows of a topic that it reads. */
export interface Followed {
  readonly position: Position | null;
  readonly start: Start;
}

/** Whether a relayed run says that this tab has missed something: it begins further on, or is of another log. */
export function isAhead({ position }: Followed, run: TopicRun): boolean {
  if (run.epoch === 0n || position === null) return false;
  return run.epoch !== position.epoch || run.afterOffset > position.offset;
}

/**
 * The answer to a subscription, from where the leader stands; null = the tab must ask the hub: it wants history, is
 * behind, or was refused.
 */
export function answerFrom(topic: Followed, ready: Ready): ServerFrame | null {
  const { status, epoch, offset, cursor } = ready;
  if (status === "refused") return null;
  if (status === "volatile") return subscribed(ready.topic, null);
  const { position, start } = topic;
  if (position === null)
    return start === "latest" ? subscribed(ready.topic, { epoch, offset, cursor }) : null;
  return position.epoch === epoch && position.offset >= offset ? subscribed(ready.topic, position) : null;
}

/** Subscribed from a place that needs no history; null = of a topic without places. */
export function subscribed(topic: string, place: Position | null, verdict?: Verdict): ServerFrame {
  const log = place && { position: resumeFrom(place), head: place.offset, epoch: place.epoch };
  const value = { topic, verdict: verdict ?? (log ? Verdict.OK : Verdict.LIVE), ...log };
  return create(ServerFrameSchema, { control: { case: "subscribed", value } });
}
