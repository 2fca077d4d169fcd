import type { MessageInitShape } from "@bufbuild/protobuf";
import { RealtimeError } from "./errors.js";
import type { ContentSchema } from "./gen/shipspeak/realtime/v1/event_pb.js";
import { Lanes } from "./lanes.js";
import { givenUp, type Receipt, repeat } from "./repeat.js";
import type { SessionContext } from "./session/context.js";
import { toDuration } from "./time.js";
import { uuidv7 } from "./uuid.js";

export type ContentInit = MessageInitShape<typeof ContentSchema>;

export interface PublishOptions {
  /** Idempotency key; a new UUIDv7 by default. */
  readonly id?: string;
  /** How long the event is worth delivering; absent = for ever. */
  readonly ttlMs?: number;
  /** How long to go on trying, in milliseconds; default 10 000. */
  readonly timeoutMs?: number;
}

/** Publishes for one client. Drafts of one topic go one after the other, so that a repeat cannot change their order. */
export class Publisher {
  readonly #context: SessionContext;
  readonly #lanes = new Lanes();
  readonly #open = new Set<AbortController>();
  #closed = false;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /**
   * Publishes one event and repeats it with the same id while the outcome is not known. Fails with RealtimeError,
   * whose `id` is the draft's:
   *
   * - what the hub said: `refused`, `permission`, `auth`, `protocol`;
   * - `unknown` when time is up and it was sent: it may be stored. Publish again with `{ id: error.id }`;
   * - `timeout`, or why there was no token, when time is up and it was not sent;
   * - `aborted` when the client is closed, with reason OUTCOME_UNKNOWN if it was sent.
   */
  publish(topic: string, content: ContentInit, options: PublishOptions = {}): Promise<Receipt> {
    const { environment, timing } = this.#context;
    const began = environment.now();
    const limitMs = options.timeoutMs ?? timing.callMs;
    const draft = {
      id: options.id ?? uuidv7(began),
      topic,
      content,
      ...(options.ttlMs === undefined ? {} : { ttl: toDuration(options.ttlMs) }),
    };
    if (this.#closed) return Promise.reject(givenUp(draft.id, false, closed()));
    const stop = new AbortController();
    this.#open.add(stop);
    const cancel = environment.schedule(() => stop.abort(late()), limitMs);
    const limit = { began, endsAt: began + limitMs, signal: stop.signal };
    return new Promise<Receipt>((resolve, reject) => {
      // Waiting for its turn it ends in its own time; tried, it ends as it then stands.
      const endWaiting = () => reject(givenUp(draft.id, false, stop.signal.reason));
      stop.signal.addEventListener("abort", endWaiting);
      this.#lanes.run(topic, async () => {
        stop.signal.removeEventListener("abort", endWaiting);
        if (!stop.signal.aborted) await repeat(this.#context, draft, limit).then(resolve, reject);
      });
    }).finally(() => {
      cancel();
      this.#open.delete(stop);
    });
  }

  /** Gives up all drafts, on their way or waiting, and takes no more. */
  close(): void {
    this.#closed = true;
    for (const stop of this.#open) stop.abort(closed());
  }
}

function late(): RealtimeError {
  return new RealtimeError("Time was up before the draft was answered.", { kind: "timeout" });
}

function closed(): RealtimeError {
  return new RealtimeError("The client is closed.", { kind: "aborted" });
}
