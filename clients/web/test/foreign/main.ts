import { Outcome, type ServerFrame, Verdict } from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";
import type { Calls } from "./calls.js";
import { connectCalls } from "./connect.js";
import { officialCalls } from "./official.js";

const CANCELLED = 1;
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const UNAUTHENTICATED = 16;

function check(holds: boolean, what: string, found: unknown): void {
  if (!holds)
    throw new Error(
      `${what}: ${JSON.stringify(found, (_, value) => (typeof value === "bigint" ? String(value) : value))}`,
    );
}

function ids(frames: readonly ServerFrame[]): string[] {
  return frames.flatMap((frame) => frame.runs.flatMap((run) => run.events.map((event) => event.id)));
}

async function publishTwice(calls: Calls, topic: string): Promise<void> {
  const [first] = await calls.publish(topic, "one");
  const [again] = await calls.publish(topic, "one");
  check(first?.outcome === Outcome.STORED && !first.duplicate, "the first publish", first);
  check(again?.duplicate === true && again.offset === first?.offset, "the repeated publish", again);
}

/** An event that is published while the stream is open must arrive on it before the stream ends. */
async function listenAndCancel(calls: Calls, topic: string): Promise<void> {
  const stop = new AbortController();
  const frames: ServerFrame[] = [];
  let ended: unknown = null;
  try {
    for await (const frame of calls.listen(topic, stop.signal)) {
      frames.push(frame);
      if (frame.control.case === "subscribed") await calls.publish(topic, "two");
      if (ids(frames).includes("two")) stop.abort();
    }
  } catch (thrown) {
    ended = thrown;
  }
  check(frames[0]?.control.case === "welcome", "the first frame", frames[0]?.control.case);
  const subscribed = frames.map((one) => one.control).find((one) => one.case === "subscribed");
  check(
    subscribed?.case === "subscribed" && subscribed.value.verdict === Verdict.OK,
    "Subscribed",
    subscribed,
  );
  check(ids(frames).join() === "one,two", "the events of the stream", ids(frames));
  check((ended as { code?: number } | null)?.code === CANCELLED, "the end after cancelling", ended);
}

async function failures(calls: Calls, topic: string): Promise<void> {
  const invalid = await calls.pollWithoutTopics();
  check(
    invalid.code === INVALID_ARGUMENT && invalid.message !== "" && invalid.hasDetails,
    "a bad request",
    invalid,
  );
  const forged = await calls.pollWithToken(topic, "a.forged.token");
  check(forged.code === UNAUTHENTICATED && forged.hasDetails, "a forged token", forged);
  const late = await calls.latePoll(topic, 400);
  check(late.code === DEADLINE_EXCEEDED, "a deadline", late);
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 200);
  const cancelled = await calls.cancelledPoll(topic, stop.signal);
  check(cancelled.code === CANCELLED, "a cancelled call", cancelled);
}

async function judge(name: string, calls: Calls): Promise<string> {
  const topic = `meeting/foreign-${name}`;
  await publishTwice(calls, topic);
  const frames = await calls.poll(topic);
  check(ids(frames).join() === "one", "the events of Poll", ids(frames));
  await listenAndCancel(calls, topic);
  await failures(calls, topic);
  return `${name}: passed`;
}

declare global {
  interface Window {
    judgeForeign(hub: string): Promise<string[]>;
  }
}

window.judgeForeign = async (hub) => [
  await judge("connect-web", connectCalls(hub)),
  await judge("grpc-web-text", officialCalls(hub)),
];
