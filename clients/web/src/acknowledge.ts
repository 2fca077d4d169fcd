import { RealtimeError } from "./errors.js";
import type { Event } from "./gen/shipspeak/realtime/v1/event_pb.js";
import type { AcknowledgeResult, Verb } from "./gen/shipspeak/realtime/v1/frame_pb.js";
import { RealtimeService } from "./gen/shipspeak/realtime/v1/realtime_service_pb.js";
import { authorized } from "./session/authorized.js";
import { callOptions, type SessionContext } from "./session/context.js";
import { fromFrame } from "./topics/registry.js";

/** Most statements of one call. */
const MAX_ACKS = 500;

/** An event of a topic; or its id alone, which means all events with it: ids are unique per publisher only. */
export type EventName = string | Pick<Event, "id" | "offset">;

/** Says about events what the user did with them, or that their publisher takes them back. To say it again changes nothing. */
export class Acknowledger {
  readonly #context: SessionContext;
  readonly #closed = new AbortController();

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /**
   * Resolves once the hub has stored it: for each, whether this device was first to say it. Fails with RealtimeError:
   * the first refusal, once all were tried.
   */
  async say(verb: Verb, topic: string, events: readonly EventName[]): Promise<readonly boolean[]> {
    const results: AcknowledgeResult[] = [];
    for (let start = 0; start < events.length; start += MAX_ACKS) {
      results.push(...(await this.#call(verb, topic, events.slice(start, start + MAX_ACKS))));
    }
    const refused = results.find((result) => result.error)?.error;
    if (refused) throw fromFrame(refused);
    return results.map((result) => result.first);
  }

  /** Gives up what is under way, and says no more. */
  close(): void {
    this.#closed.abort(new RealtimeError("The client is closed.", { kind: "aborted" }));
  }

  async #call(verb: Verb, topic: string, events: readonly EventName[]): Promise<AcknowledgeResult[]> {
    const { signal } = this.#closed;
    const { deviceId, transport } = this.#context;
    const acks = events.map((event) => ({
      target: { case: "event" as const, value: { topic, ...named(event) } },
      verb,
    }));
    const { message } = await authorized(this.#context, () => {
      signal.throwIfAborted();
      const options = callOptions(this.#context, signal);
      return transport.unary(RealtimeService.method.acknowledge, { acks, deviceId }, options);
    });
    return message.results;
  }
}

function named(event: EventName): { eventId: string; offset: bigint } {
  return typeof event === "string"
    ? { eventId: event, offset: 0n }
    : { eventId: event.id, offset: event.offset };
}
