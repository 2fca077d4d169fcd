import type { ToldStep } from "../connection/told-step.js";
import type { RealtimeError } from "../errors.js";

/** What a session tells its owner. After `lost` or `sentAway` nothing more comes. */
export interface SessionEvents {
  /** What to tell the hub of a change of rung; null = nothing. */
  step(): ToldStep | null;
  /** The hub is asked, on the session's rung. Not told of a session that lives on what another tab relays. */
  connecting(): void;
  /** The hub has accepted the session. */
  welcome(): void;
  /** Everything that was there at the start has been handed over. */
  caughtUp(): void;
  /** A sign of life of the hub. */
  heartbeat(): void;
  /** `waiting`: a Poll was cut off while it waited at the hub. */
  lost(error: RealtimeError, waiting?: boolean): void;
  /** A Poll waited at the hub for as long as it was to. */
  waited(): void;
  /** The hub asked to come back, and it is time; spread over what is left of it when the stream ended early. */
  sentAway(withinMs: number): void;
  /** Whether it is the connection, and not a probe beside it. A probe that is sent away ends at once. */
  isConnection(): boolean;
  /** The session's token ends soon. */
  expiring(): void;
}

/** One connection to the hub over one transport. */
export interface Session {
  start(): void;
  /** A probe has become the connection. */
  adopted(): void;
  /** Ends the session without a word to its owner. */
  close(): void;
  /** The registry's set of subscriptions has changed. */
  subscriptionsChanged(): void;
  /** The token source holds a new token. */
  tokenChanged(): void;
  /** Looks at the clock now, since timers may have slept. */
  checkAlive(): void;
}
