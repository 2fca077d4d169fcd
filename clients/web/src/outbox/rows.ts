import { type RealtimeError, RefusedError } from "../errors.js";

/** What the outbox holds at most; a draft that has waited longer than `maxAgeMs` is not sent any more. */
export const OUTBOX_LIMITS = { rows: 500, bytes: 5_000_000, maxAgeMs: 86_400_000 } as const;

/**
 * - `queued`: waits for its turn.
 * - `sending`: is on its way; whether the hub has it is not known yet.
 * - `dead`: the hub refused it, or it has waited too long; kept until it is tried again or thrown away.
 */
export type QueuedState = "queued" | "sending" | "dead";

/** One draft as it is kept. Times in milliseconds since 1970. */
export interface Row {
  /** The order of writing; the store gives it. */
  readonly seq: number;
  /** Idempotency key. */
  readonly id: string;
  readonly topic: string;
  /** Drafts with one key are sent one after the other. */
  readonly key: string;
  /** Content, serialized. */
  readonly content: Uint8Array;
  readonly ttlMs: number | null;
  readonly createdAt: number;
  /** Before the first attempt null; the hub needs it to look beyond its memory of ids. */
  readonly firstSentAt: number | null;
  readonly attempts: number;
  readonly state: QueuedState;
  readonly error: {
    readonly message: string;
    readonly kind: RealtimeError["kind"];
    readonly reason: number;
  } | null;
}

export type NewRow = Omit<Row, "seq">;

/** A row costs about this much beside its content. */
const OVERHEAD = 200;

export function sizeOf({ content }: Pick<Row, "content">): number {
  return content.length + OVERHEAD;
}

/** Until when a row may be sent. */
export function endOf({ createdAt, ttlMs }: Pick<Row, "createdAt" | "ttlMs">): number {
  return createdAt + Math.min(ttlMs ?? OUTBOX_LIMITS.maxAgeMs, OUTBOX_LIMITS.maxAgeMs);
}

/** Refuses a row that does not fit. */
export function checkRoom(rows: readonly Row[], next: NewRow): void {
  const bytes = rows.reduce((sum, row) => sum + sizeOf(row), 0);
  const full = rows.length >= OUTBOX_LIMITS.rows || bytes + sizeOf(next) > OUTBOX_LIMITS.bytes;
  if (full) throw new OutboxFullError(next.id);
}

/** Too much waits to be sent already, or the browser gives no more space. */
export class OutboxFullError extends RefusedError {
  constructor(id: string, cause?: unknown) {
    super("The outbox is full: nothing more is kept until something was sent or thrown away.", {
      kind: "refused",
      id,
      cause,
    });
  }
}
