import type { MessageInitShape } from "@bufbuild/protobuf";
import { backoffDelay } from "./connection/backoff.js";
import { RealtimeError, toRealtimeError } from "./errors.js";
import type { ContentSchema, DraftSchema } from "./gen/shipspeak/realtime/v1/event_pb.js";
import { Outcome, type PublishResult } from "./gen/shipspeak/realtime/v1/frame_pb.js";
import { RealtimeService } from "./gen/shipspeak/realtime/v1/realtime_service_pb.js";
import { Lanes } from "./lanes.js";
import { authorized } from "./session/authorized.js";
import { callOptions, type SessionContext } from "./session/context.js";
import { toDuration, toTimestamp } from "./time.js";
import { fromFrame } from "./topics/registry.js";
import { uuidv7 } from "./uuid.js";

export type ContentInit = MessageInitShape<typeof ContentSchema>;
type DraftInit = MessageInitShape<typeof DraftSchema>;

/** A draft as the application gave it. */
interface NewDraft {
  readonly id: string;
  readonly topic: string;
  readonly content: ContentInit;
  readonly ttl?: ReturnType<typeof toDuration>;
}

export interface PublishOptions {
  /** Idempotency key; a new UUIDv7 by default. */
  readonly id?: string;
  /** How long the event is worth delivering; absent = for ever. */
  readonly ttlMs?: number;
  /** How long to go on trying, in milliseconds; default 10 000. */
  readonly timeoutMs?: number;
}

/** What became of a draft that the hub took. */
export interface Receipt {
  readonly id: string;
  readonly outcome: "stored" | "accepted" | "scheduled";
  /** The id had been stored before; `offset` is that of the first time. */
  readonly duplicate: boolean;
  /** 0n in volatile topics. */
  readonly offset: bigint;
}

const TAKEN: Readonly<Partial<Record<Outcome, Receipt["outcome"]>>> = {
  [Outcome.STORED]: "stored",
  [Outcome.ACCEPTED]: "accepted",
  [Outcome.SCHEDULED]: "scheduled",
};
const AGAIN: ReadonlySet<Outcome> = new Set([Outcome.UNKNOWN, Outcome.NOT_ATTEMPTED]);

/** Publishes for one client. Drafts of one topic go one after the other, so that a repeat cannot change their order. */
export class Publisher {
  readonly #context: SessionContext;
  readonly #lanes = new Lanes();

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /**
   * Publishes one event and repeats it with the same id while the outcome is not known. Fails with RealtimeError:
   * `refused`, `permission` or `auth` as the hub said, or the last failure when time is up (outcome not known);
   * `timeout` as well when time is up before those ahead of it in its topic have ended: it was not sent then.
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
    return new Promise((resolve, reject) => {
      let late = false;
      const cancel = environment.schedule(() => {
        late = true;
        reject(new RealtimeError("Time was up before the draft could be sent.", { kind: "timeout" }));
      }, limitMs);
      this.#lanes.run(topic, async () => {
        cancel();
        if (!late) await repeat(this.#context, draft, began, began + limitMs).then(resolve, reject);
      });
    });
  }
}

async function repeat(
  context: SessionContext,
  draft: NewDraft,
  began: number,
  endsAt: number,
): Promise<Receipt> {
  const { environment } = context;
  for (let attempt = 0; ; attempt += 1) {
    const again = attempt === 0 ? {} : { firstSentAt: toTimestamp(began) };
    try {
      return await send(context, { ...draft, ...again }, endsAt);
    } catch (thrown) {
      const error = toRealtimeError(thrown);
      const wait =
        error.retryAfterMs === null
          ? ({ kind: "retry", attempt } as const)
          : ({ kind: "hint", hintMs: error.retryAfterMs } as const);
      const delayMs = backoffDelay(wait, environment.random());
      if (!error.retryable || environment.now() + delayMs >= endsAt) throw error;
      await new Promise<void>((resolve) => environment.schedule(resolve, delayMs));
    }
  }
}

async function send(context: SessionContext, draft: DraftInit, endsAt: number): Promise<Receipt> {
  const { publish } = RealtimeService.method;
  const { message } = await authorized(context, () => {
    const leftMs = Math.max(1, endsAt - context.environment.now());
    const options = callOptions(context, new AbortController().signal, leftMs);
    return context.transport.unary(publish, { drafts: [draft] }, options);
  });
  const result = message.results[0];
  if (!result) throw new RealtimeError("The hub answered without a result.", { kind: "protocol" });
  return receiptOf(result);
}

function receiptOf(result: PublishResult): Receipt {
  const { id, duplicate, offset } = result;
  const outcome = TAKEN[result.outcome];
  if (outcome) return { id, outcome, duplicate, offset };
  if (result.error && !AGAIN.has(result.outcome)) throw fromFrame(result.error);
  throw new RealtimeError("The hub cannot tell what became of the draft.", { kind: "network" });
}
