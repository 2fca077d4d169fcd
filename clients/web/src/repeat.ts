import type { MessageInitShape } from "@bufbuild/protobuf";
import { backoffDelay } from "./connection/backoff.js";
import { aboutDraft, RealtimeError, toRealtimeError } from "./errors.js";
import { ErrorReason } from "./gen/shipspeak/realtime/v1/error_reason_pb.js";
import type { ContentSchema } from "./gen/shipspeak/realtime/v1/event_pb.js";
import { Outcome, type PublishResult } from "./gen/shipspeak/realtime/v1/frame_pb.js";
import { RealtimeService } from "./gen/shipspeak/realtime/v1/realtime_service_pb.js";
import { authorized } from "./session/authorized.js";
import { callOptions, type SessionContext } from "./session/context.js";
import { type toDuration, toTimestamp } from "./time.js";
import { fromFrame } from "./topics/registry.js";

/** A draft as the application gave it. */
export interface NewDraft {
  readonly id: string;
  readonly topic: string;
  readonly content: MessageInitShape<typeof ContentSchema>;
  readonly ttl?: ReturnType<typeof toDuration>;
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

/** How long a draft may be tried. */
export interface Limit {
  /** When the call was made, and when its time is up; milliseconds since 1970. */
  readonly began: number;
  readonly endsAt: number;
  /** Aborted when the time is up, or the client is closed. */
  readonly signal: AbortSignal;
}

const TAKEN: Readonly<Partial<Record<Outcome, Receipt["outcome"]>>> = {
  [Outcome.STORED]: "stored",
  [Outcome.ACCEPTED]: "accepted",
  [Outcome.SCHEDULED]: "scheduled",
};
const AGAIN: ReadonlySet<Outcome> = new Set([Outcome.UNKNOWN, Outcome.NOT_ATTEMPTED]);

/**
 * Sends one draft, and again with the same id while its outcome is not known. Fails with a RealtimeError that names
 * the draft: the hub's refusal, or how it stood when its limit was reached.
 */
export async function repeat(context: SessionContext, draft: NewDraft, limit: Limit): Promise<Receipt> {
  const { environment } = context;
  let sent = false;
  const send = () => {
    const again = sent ? { firstSentAt: toTimestamp(limit.began) } : {};
    const { signal, endsAt } = limit;
    return authorized(context, () => {
      signal.throwIfAborted(); // the token came too late
      sent = true;
      const options = callOptions(context, signal, Math.max(1, endsAt - environment.now()));
      return context.transport.unary(
        RealtimeService.method.publish,
        { drafts: [{ ...draft, ...again }] },
        options,
      );
    });
  };
  for (let attempt = 0; ; attempt += 1) {
    try {
      limit.signal.throwIfAborted();
      const { message } = await untilAborted(send(), limit.signal);
      return receiptOf(message.results[0]);
    } catch (thrown) {
      if (limit.signal.aborted) throw givenUp(draft.id, sent, limit.signal.reason);
      const error = toRealtimeError(thrown);
      if (!error.retryable) throw aboutDraft(error, draft.id);
      const delayMs = backoffDelay(waitAfter(error, attempt), environment.random());
      if (environment.now() + delayMs >= limit.endsAt) throw givenUp(draft.id, sent, error);
      await pause(context, delayMs, limit.signal);
    }
  }
}

/** The error for a draft that was not answered while it could be tried; `why` is what spoke against going on. */
export function givenUp(id: string, sent: boolean, why: unknown): RealtimeError {
  const cause = toRealtimeError(why);
  if (!sent) return aboutDraft(cause, id);
  return new RealtimeError(`It is not known whether the draft was stored: publish it again with id ${id}.`, {
    kind: cause.kind === "aborted" ? "aborted" : "unknown",
    reason: ErrorReason.OUTCOME_UNKNOWN,
    cause,
    id,
  });
}

function receiptOf(result: PublishResult | undefined): Receipt {
  if (!result) throw new RealtimeError("The hub answered without a result.", { kind: "protocol" });
  const { id, duplicate, offset } = result;
  const outcome = TAKEN[result.outcome];
  if (outcome) return { id, outcome, duplicate, offset };
  if (result.error && !AGAIN.has(result.outcome)) throw fromFrame(result.error);
  throw new RealtimeError("The hub cannot tell what became of the draft.", { kind: "network" });
}

function waitAfter({ retryAfterMs }: RealtimeError, attempt: number) {
  if (retryAfterMs === null) return { kind: "retry", attempt } as const;
  return { kind: "hint", hintMs: retryAfterMs } as const;
}

/** What `work` gives, unless the signal comes first: a token may be long in coming. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    void work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** Until `ms` have passed, or the signal comes. */
async function pause({ environment }: SessionContext, ms: number, signal: AbortSignal): Promise<void> {
  let cancel = () => {};
  const over = new Promise<void>((resolve) => {
    cancel = environment.schedule(resolve, ms);
  });
  await untilAborted(over, signal).catch(cancel);
}
