import type { MessageInitShape } from "@bufbuild/protobuf";
import { type RealtimeError, toRealtimeError } from "../errors.js";
import { ErrorReason } from "../gen/shipspeak/realtime/v1/error_reason_pb.js";
import { Verdict } from "../gen/shipspeak/realtime/v1/frame_pb.js";
import type {
  ReadHistoryRequestSchema,
  ReadHistoryResponse,
} from "../gen/shipspeak/realtime/v1/realtime_service_pb.js";
import type { Member } from "./members.js";
import { type Position, resumeFrom } from "./position.js";
import type { Topic } from "./topic.js";

export interface ReplaySource {
  /** Ends the replay; what was handed over counts, so another one goes on from there. */
  readonly signal: AbortSignal;
  /** Reads one page; fails with RealtimeError. */
  read(request: MessageInitShape<typeof ReadHistoryRequestSchema>): Promise<ReadHistoryResponse>;
  /** Resolves when another read may be tried after `fruitless` ones in a row that failed or brought nothing. */
  pause(fruitless: number): Promise<void>;
}

/**
 * Reads a late listener's history page by page until it stands where the topic stands, then lets it go on with
 * the others. Live runs that fit reach it meanwhile; those that do not fit yet are read again from the log. Fails
 * with RealtimeError when the history cannot be had; the listener stays without events then.
 */
export async function replay(topic: Topic, member: Member, source: ReplaySource): Promise<void> {
  let fruitless = 0;
  while (topic.members.has(member) && !topic.refused && !source.signal.aborted) {
    const topicBefore = topic.position;
    const { position: before, restarts } = member;
    let page: ReadHistoryResponse;
    try {
      page = await source.read({
        topic: topic.name,
        latestPerKey: member.latestPerKey,
        ...positionOf(member),
      });
    } catch (thrown) {
      const error = toRealtimeError(thrown);
      if (source.signal.aborted) return;
      if (error.reason === ErrorReason.START_UNAVAILABLE) return goOnWithoutHistory(member);
      if (!error.retryable && !isForeign(error)) throw error;
      fruitless += 1;
      await source.pause(fruitless);
      continue;
    }
    if (source.signal.aborted) return;
    if (member.restarts !== restarts) continue;
    take(page, member);
    // It has read on beyond what the topic was handed: with the others only when they stand there too.
    while (!page.more && isAheadOf(topic, member) && !source.signal.aborted)
      await changed(topic, source.signal);
    if (!page.more && standsAtTopic(topic, member, topicBefore)) {
      member.replaying = false;
      return;
    }
    fruitless = member.position === before ? fruitless + 1 : 0;
    if (!page.more && topic.state.getSnapshot().status === "pending") await changed(topic, source.signal);
    else if (fruitless > 0) await source.pause(fruitless);
  }
}

/** What the hub said of the page's completeness comes before its runs. */
function take(page: ReadHistoryResponse, member: Member): void {
  if (page.verdict === Verdict.RESET) {
    member.interrupted("reset");
    member.position = null;
  } else if (page.verdict === Verdict.GAP) {
    member.interrupted("gap");
    if (page.runs.length === 0) member.position = null; // read on from whatever the log begins with now
  }
  const source = page.verdict === Verdict.GAP ? "trimmed" : "history";
  for (const run of page.runs) member.replay(run, source);
}

function positionOf(member: Member) {
  if (member.position === null || member.position.cursor.length === 0) return {};
  return { position: resumeFrom(member.position) };
}

/** A topic that was not answered yet has no place to meet at. An empty log counts only if nothing came meanwhile. */
function standsAtTopic(topic: Topic, member: Member, before: Position | null): boolean {
  if (topic.position === null) return topic.state.getSnapshot().status !== "pending";
  if (member.position === null) return topic.position === before;
  return member.position.epoch !== topic.position.epoch || member.position.offset >= topic.position.offset;
}

function isAheadOf({ position: theirs, members }: Topic, member: Member): boolean {
  const { position: own } = member;
  if (own === null || theirs === null || !members.has(member)) return false;
  return own.epoch === theirs.epoch && own.offset > theirs.offset;
}

function changed(topic: Topic, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stop();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const stop = topic.state.subscribe(done);
    signal.addEventListener("abort", done);
  });
}

/** Not in the hub's own words: a captive portal or a proxy, which the connection waits out as well. */
function isForeign(error: RealtimeError): boolean {
  return error.kind === "unsupported" && error.reason === ErrorReason.UNSPECIFIED;
}

/** The topic keeps no history: nothing is missing, and the listener takes what comes. */
function goOnWithoutHistory(member: Member): void {
  member.replaying = false;
  member.tell({ verdict: "live", lost: null });
}
