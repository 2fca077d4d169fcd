import { backoffDelay } from "../connection/backoff.js";
import { toRealtimeError } from "../errors.js";
import { RealtimeService } from "../gen/shipspeak/realtime/v1/realtime_service_pb.js";
import type { Member } from "../topics/members.js";
import { replay } from "../topics/replay.js";
import type { Topic } from "../topics/topic.js";
import { authorized } from "./authorized.js";
import { callOptions, type SessionContext } from "./context.js";

/** Reads history for late listeners, while a connection is wanted. */
export class Replays {
  readonly #context: SessionContext;
  readonly #waiting = new Map<Member, Topic>();
  #stop: AbortController | null = null;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  add(topic: Topic, member: Member): void {
    this.#waiting.set(member, topic);
    if (this.#stop) void this.#run(topic, member, this.#stop.signal);
  }

  /** A connection is wanted from now on. */
  start(): void {
    if (this.#stop) return;
    this.#stop = new AbortController();
    for (const [member, topic] of this.#waiting) void this.#run(topic, member, this.#stop.signal);
  }

  /** Ends every read; each goes on from where it was at the next `start`. */
  stop(): void {
    this.#stop?.abort();
    this.#stop = null;
  }

  async #run(topic: Topic, member: Member, signal: AbortSignal): Promise<void> {
    const { transport, environment } = this.#context;
    const { readHistory } = RealtimeService.method;
    try {
      await replay(topic, member, {
        signal,
        read: async (request) => {
          const call = () => transport.unary(readHistory, request, callOptions(this.#context, signal));
          return (await authorized(this.#context, call)).message;
        },
        pause: (fruitless) => {
          const wait = { kind: "retry", attempt: fruitless - 1 } as const;
          const delayMs = backoffDelay(wait, environment.random(), environment.hidden());
          return this.#pause(delayMs, signal);
        },
      });
    } catch (thrown) {
      member.fail(toRealtimeError(thrown));
    }
    if (!signal.aborted) this.#waiting.delete(member);
  }

  /** Until `ms` have passed or the reading ends. */
  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const cancel = this.#context.environment.schedule(done, ms);
      signal.addEventListener("abort", done);
    });
  }
}
