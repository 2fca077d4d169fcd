import type { Environment } from "../environment.js";
import { Cell, type Store } from "../store.js";
import type { Count, Counters } from "../topics/types.js";
import type { Rung } from "./ladder.js";
import { INITIAL, type MachineState } from "./machine.js";
import { Meter } from "./meter.js";
import { type ConnectionSnapshot, IDLE_SNAPSHOT, isWanted, NO_COUNTERS, qualityOf } from "./snapshot.js";

/** Gathers the facts that the connection's snapshot shows. */
export class Board {
  readonly meter: Meter;
  readonly #cell: Cell<ConnectionSnapshot>;
  readonly #environment: Environment;
  readonly #lostAfterMs: number;
  #state: MachineState = INITIAL;
  #counters: Counters = NO_COUNTERS;
  #rttMs: number | null = null;
  #retryAt: number | null = null;
  #lostSince: number | null = null;
  #planned = false;
  #onRung = true;
  #relayed: Rung | null = null;
  #cancelQuality: () => void = () => {};

  constructor(environment: Environment, lostAfterMs: number) {
    this.#environment = environment;
    this.#lostAfterMs = lostAfterMs;
    this.meter = new Meter(environment.now, () => this.#soon());
    this.#cell = new Cell(IDLE_SNAPSHOT, environment.report);
  }

  get store(): Store<ConnectionSnapshot> {
    return this.#cell;
  }

  readonly count: Count = (name, by) => {
    if (by === 0) return;
    this.#counters = Object.freeze({ ...this.#counters, [name]: this.#counters[name] + by });
    this.#soon();
  };

  readonly roundTrip = (ms: number): void => {
    this.#rttMs = ms;
    this.#soon();
  };

  /** The machine has moved. */
  moved(state: MachineState, retryAt: number | null, onRung: boolean): void {
    this.#state = state;
    this.#onRung = onRung;
    this.#retryAt = retryAt;
    if (!isWanted(state.phase)) this.#lostSince = null;
    else this.#lostSince ??= this.#environment.now();
    this.#planQuality();
    this.#show();
  }

  /** How news come to the tab that leads, while this one follows. */
  relayed(rung: Rung | null): void {
    if (rung === this.#relayed) return;
    this.#relayed = rung;
    this.#show();
  }

  /** Quality falls by mere time while nothing comes. */
  #planQuality(): void {
    this.#cancelQuality();
    if (this.#lostSince === null) return;
    const leftMs = this.#lostSince + this.#lostAfterMs - this.#environment.now();
    if (leftMs > 0) this.#cancelQuality = this.#environment.schedule(() => this.#show(), leftMs);
  }

  /** Many events of one frame make one change. */
  #soon(): void {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => this.#show());
  }

  #show(): void {
    this.#planned = false;
    const state = this.#state;
    const rung = this.#onRung ? state.rung : (this.#relayed ?? state.rung);
    const connected = state.phase === "live" || state.phase === "syncing";
    this.#cell.set(
      Object.freeze({
        phase: state.phase,
        transport: connected ? rung : null,
        quality: qualityOf(
          { phase: state.phase, rung },
          this.#lostSince,
          this.#environment.now(),
          this.#lostAfterMs,
        ),
        attempt: state.attempt,
        retryAt: this.#retryAt,
        lostSince: this.#lostSince,
        rttMs: this.#rttMs,
        everConnected: state.everConnected,
        error: state.error,
        counters: this.#counters,
        transports: this.meter.table,
        steps: this.meter.steps,
      }),
    );
  }
}
