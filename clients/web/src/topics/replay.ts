import type { MessageInitShape } from "@bufbuild/protobuf";
import { type RealtimeError, toRealtimeError } from "../errors.js";
import type {
  ReadHistoryRequestSchema,
  ReadHistoryResponse,
} from "../gen/shipspeak/realtime/v1/realtime_service_pb.js";
import type { Member } from "./members.js";
import type { Position } from "./position.js";
import type { Topic } from "./topic.js";

export interface ReplaySource {
  /** Reads one page; fails with RealtimeError. */
  read(request: MessageInitShape<typeof ReadHistoryRequestSchema>): Promise<ReadHistoryResponse>;
  /** Resolves when a failed read may be tried again. */
  pause(error: RealtimeError): Promise<void>;
}

/**
 * Reads a late listener's history page by page until it stands where the topic stands, then lets it go on with
 * the others. Live runs that fit reach it meanwhile; those that do not fit yet are read again from the log.
 */
export async function replay(topic: Topic, member: Member, source: ReplaySource): Promise<void> {
  while (topic.members.has(member)) {
    const before = topic.position;
    let page: ReadHistoryResponse;
    try {
      page = await source.read({ topic: topic.name, ...positionOf(member) });
    } catch (thrown) {
      const error = toRealtimeError(thrown);
      if (!error.retryable) return giveUp(member);
      await source.pause(error);
      continue;
    }
    for (const run of page.runs) member.replay(run, "history");
    if (page.more) continue;
    if (standsAtTopic(topic, member, before)) {
      member.replaying = false;
      return;
    }
    if (topic.state.getSnapshot().status === "pending") await changed(topic);
  }
}

function positionOf(member: Member) {
  if (member.position === null || member.position.cursor.length === 0) return {};
  const { cursor, offset } = member.position;
  return { position: { cursor, handledOffset: offset } };
}

/** A topic that was not answered yet has no place to meet at. An empty log counts only if nothing came meanwhile. */
function standsAtTopic(topic: Topic, member: Member, before: Position | null): boolean {
  if (topic.position === null) return topic.state.getSnapshot().status !== "pending";
  if (member.position === null) return topic.position === before;
  return member.position.epoch !== topic.position.epoch || member.position.offset >= topic.position.offset;
}

function changed(topic: Topic): Promise<void> {
  return new Promise((resolve) => {
    const stop = topic.state.subscribe(() => {
      stop();
      resolve();
    });
  });
}

/** History cannot be had: the listener is told that it has a gap, and goes on with what comes. */
function giveUp(member: Member): void {
  member.replaying = false;
  member.tell({ verdict: "gap", lost: null });
}
