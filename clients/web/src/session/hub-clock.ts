import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampMs } from "../time.js";

/**
 * The hub's clock, as far as it is known. What the hub says of the time is old by its way here, so of all that was heard
 * the one that is furthest ahead is nearest to the truth.
 */
export class HubClock {
  readonly #now: () => number;
  #aheadMs: number | null = null;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A hub has told its time. `anew` = of a new session: this machine's clock may have been set since the last one. */
  hear(time: Timestamp | undefined, anew: boolean): void {
    const told = timestampMs(time);
    if (told === null) return;
    const aheadMs = told - this.#now();
    this.#aheadMs = anew || this.#aheadMs === null ? aheadMs : Math.max(this.#aheadMs, aheadMs);
  }

  /** Milliseconds since 1970 at the hub; this machine's own time until a hub has told its. */
  readonly now = (): number => this.#now() + (this.#aheadMs ?? 0);
}
