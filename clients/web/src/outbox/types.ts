import type { RealtimeError } from "../errors.js";
import type { ContentInit } from "../publish.js";
import type { Receipt } from "../repeat.js";
import type { Store } from "../store.js";
import type { QueuedState } from "./rows.js";

/** One draft that waits, goes out, or was refused. */
export interface OutboxEntry {
  readonly id: string;
  readonly topic: string;
  readonly state: QueuedState;
  /** When it was given to the outbox; milliseconds since 1970. */
  readonly createdAt: number;
  readonly attempts: number;
  /** Why it is dead; null otherwise. */
  readonly error: RealtimeError | null;
}

/** What can be shown of the outbox; frozen, its identity changes only on change. */
export interface OutboxSnapshot {
  /** Whether what waits survives the page; null = nothing was kept yet. */
  readonly persistent: boolean | null;
  /** In the order of sending; those that other tabs have put in are among them. */
  readonly entries: readonly OutboxEntry[];
  /** Nothing goes out until somebody is signed in. */
  readonly paused: boolean;
}

export interface QueueOptions {
  /** Idempotency key; a new UUIDv7 by default. */
  readonly id?: string;
  /** How long it is worth sending and delivering; a day at most is waited for the hub. */
  readonly ttlMs?: number;
  /** Drafts with one key are sent in order; the topic by default. */
  readonly key?: string;
}

/** A draft that is kept. */
export interface Queued {
  readonly id: string;
  /** Whether it survives the page. */
  readonly persistent: boolean;
  /** What the hub said, however long it takes. Fails with RealtimeError when it refused, or it was thrown away. */
  readonly receipt: Promise<Receipt>;
}

/** Drafts that are kept before they are sent, and sent until the hub has them. */
export interface Outbox extends Store<OutboxSnapshot> {
  /** Resolves once the draft is kept. Fails with OutboxFullError. */
  add(topic: string, content: ContentInit, options?: QueueOptions): Promise<Queued>;
  /** Tries a dead draft again, with the same id. */
  retry(id: string): Promise<void>;
  /** Throws a draft away; one that is on its way may be stored all the same. */
  discard(id: string): Promise<void>;
}

export const NO_OUTBOX: OutboxSnapshot = Object.freeze({
  persistent: null,
  entries: Object.freeze([]),
  paused: false,
});
