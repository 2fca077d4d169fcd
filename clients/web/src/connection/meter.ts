import { LADDER, type LadderStep, type Rung } from "./ladder.js";

/** What one transport has done, from the client's construction on. */
export interface TransportFigures {
  /** Sessions begun on it, probes among them. */
  readonly sessions: number;
  /** From the beginning of the latest session to its first frame, in milliseconds; null = none came yet. */
  readonly firstFrameMs: number | null;
  /** From the beginning of the latest session with events to the first of them, in milliseconds; null = none came yet. */
  readonly firstEventMs: number | null;
  /** Events received; the overlap of two transports counts on both. */
  readonly events: number;
  /** Bytes of all messages received. */
  readonly bytes: number;
}

export type TransportTable = Readonly<Record<Rung, TransportFigures>>;

const NOTHING: TransportFigures = Object.freeze({
  sessions: 0,
  firstFrameMs: null,
  firstEventMs: null,
  events: 0,
  bytes: 0,
});

export const NO_TRANSPORTS: TransportTable = Object.freeze(
  Object.fromEntries(LADDER.map((rung) => [rung, NOTHING])) as Record<Rung, TransportFigures>,
);

/** Changes of rung that are kept. */
const STEPS_KEPT = 20;

/** Measures one session, from its construction on. */
export type SessionMeter = (bytes: number, events: number) => void;

/** Counts what each transport brings, and why the connection went from one to another. */
export class Meter {
  readonly #now: () => number;
  readonly #onChange: () => void;
  #table: TransportTable = NO_TRANSPORTS;
  #steps: readonly LadderStep[] = Object.freeze([]);

  constructor(now: () => number, onChange: () => void) {
    this.#now = now;
    this.#onChange = onChange;
  }

  get table(): TransportTable {
    return this.#table;
  }

  /** The latest changes of rung, oldest first. */
  get steps(): readonly LadderStep[] {
    return this.#steps;
  }

  stepped(step: Omit<LadderStep, "at">): void {
    const steps = [...this.#steps, Object.freeze({ at: this.#now(), ...step })];
    this.#steps = Object.freeze(steps.slice(-STEPS_KEPT));
    this.#onChange();
  }

  /** A session begins; the result is told of each message that it brings. */
  begin(rung: Rung): SessionMeter {
    const began = this.#now();
    let [framed, evented] = [false, false];
    this.#add(rung, { sessions: 1 });
    return (bytes, events) => {
      const afterMs = this.#now() - began;
      this.#add(rung, {
        bytes,
        events,
        ...(framed ? {} : { firstFrameMs: afterMs }),
        ...(evented || events === 0 ? {} : { firstEventMs: afterMs }),
      });
      framed = true;
      evented ||= events > 0;
    };
  }

  #add(rung: Rung, more: Partial<TransportFigures>): void {
    const { sessions, firstFrameMs, firstEventMs, events, bytes } = this.#table[rung];
    const figures: TransportFigures = Object.freeze({
      sessions: sessions + (more.sessions ?? 0),
      firstFrameMs: more.firstFrameMs ?? firstFrameMs,
      firstEventMs: more.firstEventMs ?? firstEventMs,
      events: events + (more.events ?? 0),
      bytes: bytes + (more.bytes ?? 0),
    });
    this.#table = Object.freeze({ ...this.#table, [rung]: figures });
    this.#onChange();
  }
}
