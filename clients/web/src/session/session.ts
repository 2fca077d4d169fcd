import type { RealtimeError } from "../errors.js";

/** What a session tells its owner. After `lost` or `sentAway` nothing more comes. */
export interface SessionEvents {
  /** The hub has accepted the session. */
  welcome(): void;
  /** Everything that was there at the start has been handed over. */
  caughtUp(): void;
  /** A sign of life of the hub. */
  heartbeat(): void;
  lost(error: RealtimeError): void;
  /** The hub asked to come back, and it is time; spread over what is left of it when the stream ended early. */
  sentAway(withinMs: number): void;
  /** Whether a session that is sent away reads on until it is time; otherwise it ends at once. */
  readsOn(): boolean;
  /** The session's token ends soon. */
  expiring(): void;
}

/** One connection to the hub over one transport. */
export interface Session {
  start(): void;
  /** Ends the session without a word to its owner. */
  close(): void;
  /** The registry's set of subscriptions has changed. */
  subscriptionsChanged(): void;
  /** The token source holds a new token. */
  tokenChanged(): void;
  /** Looks at the clock now, since timers may have slept. */
  checkAlive(): void;
}
