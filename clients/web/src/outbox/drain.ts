import { fromBinary } from "@bufbuild/protobuf";
import { backoffDelay } from "../connection/backoff.js";
import { type RealtimeError, toRealtimeError } from "../errors.js";
import { ContentSchema } from "../gen/shipspeak/realtime/v1/event_pb.js";
import { type Receipt, repeat } from "../repeat.js";
import type { SessionContext } from "../session/context.js";
import { toDuration, toTimestamp } from "../time.js";
import { died, isTooOld, meaningOf, nextRows, started, tooOld } from "./plan.js";
import { endOf, type Row } from "./rows.js";
import type { OutboxStore } from "./store.js";

export interface DrainEvents {
  /** The hub has it; told before the row goes, so that a crash between the two sends it again. */
  taken(row: Row, receipt: Receipt): void;
  dead(row: Row, error: RealtimeError): void;
  /** Rows have changed. */
  changed(): void;
  /** Nothing goes out until somebody is signed in; or it does again. */
  paused(paused: boolean): void;
}

/** Sends what a store holds, in order within a key, until it is stopped. One tab at a time does so. */
export class Drain {
  readonly #context: SessionContext;
  readonly #store: OutboxStore;
  readonly #events: DrainEvents;
  readonly #busy = new Set<string>();
  readonly #stop = new AbortController();
  #failures = 0;
  #waiting = false;
  #cancelWait: () => void = () => {};
  #looking = false;
  #again = false;

  constructor(context: SessionContext, store: OutboxStore, events: DrainEvents) {
    this.#context = context;
    this.#store = store;
    this.#events = events;
  }

  /** Something new is in the store. */
  wake(): void {
    if (this.#looking) this.#again = true;
    else void this.#look();
  }

  /** There is reason to believe that the hub can be reached: waits and pauses are over. */
  retry(): void {
    this.#cancelWait();
    this.#waiting = false;
    this.#failures = 0;
    this.#events.paused(false);
    this.wake();
  }

  stop(): void {
    this.#cancelWait();
    this.#stop.abort();
  }

  async #look(): Promise<void> {
    if (this.#waiting || this.#stop.signal.aborted) return;
    this.#looking = true;
    this.#again = false;
    try {
      const rows = await this.#store.all();
      for (const row of this.#waiting || this.#stop.signal.aborted ? [] : nextRows(rows, this.#busy)) {
        this.#busy.add(row.key);
        void this.#send(row);
      }
    } catch (error) {
      this.#context.environment.report(error);
    }
    this.#looking = false;
    if (this.#again) this.wake();
  }

  async #send(queued: Row): Promise<void> {
    const { signal } = this.#stop;
    try {
      await this.#attempt(queued);
    } catch (thrown) {
      // The store fails, and may well go on failing: the row, as it is kept, is tried again after a wait.
      if (!signal.aborted) {
        this.#context.environment.report(thrown);
        if (!this.#waiting) this.#backOff(null, false);
      }
    } finally {
      this.#busy.delete(queued.key);
      if (!signal.aborted) this.wake();
    }
  }

  async #attempt(queued: Row): Promise<void> {
    const { environment, timing } = this.#context;
    const { signal } = this.#stop;
    const began = environment.now();
    if (isTooOld(queued, began)) return this.#bury(queued, tooOld(queued));
    const row = started(queued, began);
    if (!(await this.#store.put(row)) || signal.aborted) return;
    this.#events.changed();
    let receipt: Receipt;
    try {
      receipt = await repeat(this.#context, this.#draft(row, began), {
        began: row.firstSentAt ?? began,
        endsAt: began + timing.callMs,
        signal,
      });
    } catch (thrown) {
      if (!signal.aborted) await this.#failed(row, toRealtimeError(thrown));
      return;
    }
    this.#events.taken(row, receipt);
    // Where this fails, the hub has the draft all the same: sent again with its id it is a duplicate.
    await this.#store.remove(row.seq);
    this.#failures = 0;
    this.#events.changed();
  }

  async #failed(row: Row, error: RealtimeError): Promise<void> {
    const meaning = meaningOf(error);
    if (meaning.kind === "dead") return this.#bury(row, error);
    if (meaning.kind !== "auth") this.#backOff(meaning.hintMs, meaning.busy);
    await this.#store.put({ ...row, state: "queued" });
    this.#events.changed();
    // The last thing that it does: another tab may go on from here.
    if (meaning.kind === "auth" && !this.#stop.signal.aborted) this.#pause();
  }

  async #bury(row: Row, error: RealtimeError): Promise<void> {
    await this.#store.put(died(row, error));
    this.#events.dead(row, error);
    this.#events.changed();
  }

  #pause(): void {
    this.#waiting = true;
    this.#cancelWait();
    this.#events.paused(true);
  }

  #backOff(hintMs: number | null, busy: boolean): void {
    const { environment } = this.#context;
    const attempt = this.#failures;
    this.#failures += 1;
    this.#waiting = true;
    this.#cancelWait();
    const wait =
      hintMs !== null
        ? { kind: "hint" as const, hintMs }
        : { kind: busy ? ("slow" as const) : ("retry" as const), attempt };
    const delayMs = backoffDelay(wait, environment.random(), environment.hidden());
    this.#cancelWait = environment.schedule(() => {
      this.#waiting = false;
      this.wake();
    }, delayMs);
  }

  #draft(row: Row, now: number) {
    const { id, topic, content, ttlMs, firstSentAt } = row;
    return {
      id,
      topic,
      content: fromBinary(ContentSchema, content),
      ...(ttlMs === null ? {} : { ttl: toDuration(Math.max(1, endOf(row) - now)) }),
      firstSentAt: toTimestamp(firstSentAt ?? now),
    };
  }
}
