import type { PublishResult, ServerFrame } from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";

export interface Failure {
  readonly code: number;
  readonly message: string;
  /** The reason came with the status. */
  readonly hasDetails: boolean;
}

/** The same calls by any client. */
export interface Calls {
  publish(topic: string, id: string): Promise<PublishResult[]>;
  poll(topic: string): Promise<ServerFrame[]>;
  listen(topic: string, signal: AbortSignal): AsyncIterable<ServerFrame>;
  cancelledPoll(topic: string, signal: AbortSignal): Promise<Failure>;
  latePoll(topic: string, timeoutMs: number): Promise<Failure>;
  pollWithoutTopics(): Promise<Failure>;
  pollWithToken(topic: string, token: string): Promise<Failure>;
}

export const hello = { protocolVersion: 1, clientId: "foreign" };
export const LONG_WAIT = { seconds: 20n };

export function draft(topic: string, id: string) {
  const upload = { case: "upload" as const, value: { sentBytes: 1n, totalBytes: 2n } };
  return {
    id,
    topic,
    content: { payload: { case: "meeting" as const, value: { attempt: 1, update: upload } } },
  };
}
