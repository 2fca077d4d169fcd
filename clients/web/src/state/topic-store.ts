import type { RealtimeClient } from "../client.js";
import type { RealtimeError } from "../errors.js";
import type * as pb from "../gen/shipspeak/realtime/v1/event_pb.js";
import { Cell, type Store } from "../store.js";
import type { Start } from "../topics/types.js";

/** What is told of every state that is made out of topics. */
export interface Told {
  /** Offset of the latest event of the first topic; 0n = none yet. */
  readonly offset: bigint;
  /** A topic was refused. */
  readonly error: RealtimeError | null;
  /** History was trimmed before it was read: earlier news may be missing. */
  readonly incomplete: boolean;
}

export const NOTHING_TOLD: Told = Object.freeze({ offset: 0n, error: null, incomplete: false });

/** How a state is made out of topics. */
export interface Definition<S> {
  readonly topics: readonly string[];
  readonly start: Start;
  readonly initial: S;
  /** Pure; the same state = nothing has changed. */
  readonly reduce: (state: S, event: pb.Event, topic: string) => S;
  /** The log of a topic is another one: what is left without it; by default nothing. */
  readonly without?: (state: S, topic: string) => S;
}

/** A state made out of topics; it reads them while something is subscribed to it. */
export class TopicStore<S extends object> implements Store<S & Told> {
  readonly #client: RealtimeClient;
  readonly #definition: Definition<S>;
  readonly #cell: Cell<S & Told>;
  readonly #offsets = new Map<string, bigint>();
  readonly #onUse: (used: boolean) => void;
  #watchers = 0;
  #stops: (() => void)[] = [];

  /** `onUse` is told when the first watcher comes and when the last one goes. */
  constructor(client: RealtimeClient, definition: Definition<S>, onUse: (used: boolean) => void = () => {}) {
    this.#client = client;
    this.#definition = definition;
    this.#cell = new Cell({ ...definition.initial, ...NOTHING_TOLD }, (error) =>
      globalThis.reportError(error),
    );
    this.#onUse = onUse;
  }

  readonly getSnapshot = (): S & Told => this.#cell.getSnapshot();

  readonly subscribe = (listener: () => void): (() => void) => {
    const leave = this.#cell.subscribe(listener);
    this.#watchers += 1;
    if (this.#watchers === 1) this.#open();
    let left = false;
    return () => {
      if (left) return;
      left = true;
      leave();
      this.#watchers -= 1;
      if (this.#watchers > 0) return;
      for (const stop of this.#stops.splice(0)) stop();
      this.#onUse(false);
    };
  };

  /** Applies a change that no event brought, such as what a person has just done. */
  change(by: (state: S & Told) => S): void {
    const before = this.getSnapshot();
    const after = by(before);
    if (after !== before) this.#cell.set({ ...before, ...after });
  }

  #open(): void {
    this.#onUse(true);
    // A topic that is opened again is read from its start again. What was known stays on the screen meanwhile, and
    // what comes again changes nothing; what the hub said of the last reading is over.
    this.#tell({ error: null, incomplete: false });
    this.#stops = this.#definition.topics.map((topic) =>
      this.#client.topic(topic).subscribe({
        start: this.#definition.start,
        onEvent: (event) => this.#take(event, topic),
        onVerdict: ({ verdict }) => {
          if (verdict === "reset") this.#reset(topic);
          else this.#tell(verdict === "gap" ? { error: null, incomplete: true } : { error: null });
        },
        onError: (error) => this.#tell({ error }),
      }),
    );
  }

  #take(event: pb.Event, topic: string): void {
    if (event.offset !== 0n && event.offset <= (this.#offsets.get(topic) ?? 0n)) return;
    this.#offsets.set(topic, event.offset);
    const before = this.getSnapshot();
    const { topics, reduce } = this.#definition;
    const offset = topic === topics[0] ? event.offset : before.offset;
    const after = reduce(before, event, topic);
    if (after !== before || offset !== before.offset) this.#cell.set({ ...before, ...after, offset });
  }

  #reset(topic: string): void {
    this.#offsets.delete(topic);
    const { initial, without } = this.#definition;
    const left = without ? without(this.getSnapshot(), topic) : initial;
    this.#cell.set({ ...left, ...NOTHING_TOLD });
  }

  /** Sets what differs; a change of nothing is not told. */
  #tell(change: Partial<Told>): void {
    const before = this.getSnapshot();
    const { error, incomplete } = { ...before, ...change };
    if (error !== before.error || incomplete !== before.incomplete)
      this.#cell.set({ ...before, error, incomplete });
  }
}
