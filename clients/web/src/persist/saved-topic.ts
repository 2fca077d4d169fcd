import type { RealtimeClient } from "../client.js";
import type { RealtimeError } from "../errors.js";
import type * as pb from "../gen/shipspeak/realtime/v1/event_pb.js";
import { Cell, type Store } from "../store.js";
import type { Position } from "../topics/position.js";
import type { Start } from "../topics/types.js";
import type { Database } from "./database.js";
import { databaseOf } from "./open.js";
import { signedOut } from "./signed-out.js";

export interface SavedTopicOptions<S> {
  /** The state before the first event. Like every state it must be what structured cloning can copy. */
  readonly initial: S;
  /** The state after one event; pure. */
  readonly reduce: (state: S, event: pb.Event) => S;
  /** Of `reduce`: what was kept by another version is not used. */
  readonly version: number;
  /** Where to begin when nothing is kept; default `earliest`. */
  readonly start?: Start;
}

/** A state that survives the page; frozen, its identity changes only on change. */
export interface SavedSnapshot<S> {
  readonly state: S;
  /**
   * - `restoring`: what was kept is being read.
   * - `stale`: it is what was so, and may be old.
   * - `live`: it is what is so.
   */
  readonly status: "restoring" | "stale" | "live";
  /** History was trimmed before it was read: earlier events may be missing in it. */
  readonly incomplete: boolean;
  /** The topic was refused. */
  readonly error: RealtimeError | null;
}

/** Changes within this time are written down together. */
const COLLECT_MS = 250;

interface Kept<S> {
  readonly version: number;
  readonly state: S;
  readonly position: Position;
  readonly incomplete: boolean;
}

/**
 * What a topic's events amount to, kept in the browser together with its place in the topic, in one transaction: after
 * a reload the state is there at once, and goes on from there. It is read while something is subscribed to the store.
 * A client without an identity keeps nothing, and reads from `start` each time.
 */
export function savedTopic<S>(
  client: RealtimeClient,
  topic: string,
  options: SavedTopicOptions<S>,
): Store<SavedSnapshot<S>> {
  return new SavedTopic(client, topic, options);
}

class SavedTopic<S> implements Store<SavedSnapshot<S>> {
  readonly #client: RealtimeClient;
  readonly #topic: string;
  readonly #options: SavedTopicOptions<S>;
  readonly #cell: Cell<SavedSnapshot<S>>;
  #database: Database | null = null;
  #watchers = 0;
  #stop: AbortController | null = null;
  #position: Position | null = null;
  #writtenAt: Position | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: RealtimeClient, topic: string, options: SavedTopicOptions<S>) {
    this.#client = client;
    this.#topic = topic;
    this.#options = options;
    const nothing = { state: options.initial, incomplete: false, error: null };
    this.#cell = new Cell(Object.freeze({ ...nothing, status: "restoring" }), (error) =>
      globalThis.reportError(error),
    );
  }

  readonly getSnapshot = (): SavedSnapshot<S> => this.#cell.getSnapshot();

  readonly subscribe = (listener: () => void): (() => void) => {
    const leave = this.#cell.subscribe(listener);
    this.#watchers += 1;
    if (this.#watchers === 1) {
      this.#stop = new AbortController();
      void this.#open(this.#stop.signal);
    }
    let left = false;
    return () => {
      if (left) return;
      left = true;
      leave();
      this.#watchers -= 1;
      if (this.#watchers > 0) return;
      this.#stop?.abort();
      this.#stop = null;
    };
  };

  async #open(signal: AbortSignal): Promise<void> {
    if (!this.#position) await this.#restore();
    if (signal.aborted) return;
    const { start = "earliest" } = this.#options;
    const leave = this.#client.topic(this.#topic).subscribe({
      start,
      ...(this.#position ? { from: this.#position } : {}),
      onEvent: (event) =>
        this.#update({ state: this.#options.reduce(this.#cell.getSnapshot().state, event) }),
      onPosition: (position) => this.#moved(position),
      onVerdict: ({ verdict }) => {
        if (verdict === "reset")
          this.#update({ state: this.#options.initial, incomplete: false, error: null });
        else if (verdict === "gap") this.#update({ incomplete: true, error: null });
        else this.#update({ error: null });
      },
      onError: (error) => this.#update({ error }),
    });
    const look = () => this.#update({});
    const state = this.#client.topicState(this.#topic);
    const ends = [
      leave,
      this.#client.connection.subscribe(look),
      state?.subscribe(look),
      onPageAway(() => void this.#write()),
    ];
    signal.addEventListener("abort", () => {
      for (const end of ends) end?.();
      void this.#write();
      this.#update({});
    });
    look();
  }

  async #restore(): Promise<void> {
    this.#database = await databaseOf(this.#client.scope);
    const kept = await this.#database
      ?.read<Kept<S> | undefined>("states", (store) => store.get(this.#topic))
      .catch(() => undefined);
    if (kept?.version === this.#options.version) {
      const { state, position, incomplete } = kept;
      this.#position = position;
      this.#writtenAt = position;
      this.#update({ state, incomplete });
    }
    this.#cell.set(Object.freeze({ ...this.#cell.getSnapshot(), status: "stale" }));
  }

  #moved(position: Position): void {
    this.#position = position;
    this.#update({});
    if (position.cursor.length === 0) return; // cannot be resumed from
    if (this.#timer) return;
    this.#timer = setTimeout(() => void this.#write(), this.#writtenAt ? COLLECT_MS : 0);
  }

  /** Sets what differs; a change of nothing is not told. */
  #update(change: Partial<SavedSnapshot<S>>): void {
    const before = this.#cell.getSnapshot();
    const status = before.status === "restoring" ? "restoring" : this.#isLive() ? "live" : "stale";
    const next = { ...before, ...change, status } as const;
    const same = (Object.keys(next) as (keyof typeof next)[]).every((key) =>
      Object.is(next[key], before[key]),
    );
    if (!same) this.#cell.set(Object.freeze(next));
  }

  #isLive(): boolean {
    const topic = this.#client.topicState(this.#topic)?.getSnapshot();
    if (!this.#stop || topic?.status !== "live") return false;
    const here = topic.offset === null || this.#position?.offset === topic.offset;
    return here && this.#client.connection.getSnapshot().phase === "live";
  }

  /** State and place in one transaction; what another tab has written further on stays. */
  async #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (signedOut.has(this.#client)) return; // what was kept has been thrown away
    const position = this.#position;
    if (!position || position === this.#writtenAt || position.cursor.length === 0) return;
    this.#writtenAt = position;
    const { state, incomplete } = this.#cell.getSnapshot();
    const { version } = this.#options;
    const next: Kept<S> = { version, state, position, incomplete };
    try {
      // Begun at once: a page that is being closed does not wait.
      await this.#database?.change("states", (store) => {
        const before: IDBRequest<Kept<S> | undefined> = store.get(this.#topic);
        before.onsuccess = () => {
          const known = before.result;
          const ahead =
            known?.version === version &&
            known.position.epoch === position.epoch &&
            known.position.offset > position.offset;
          if (!ahead) store.put(next, this.#topic);
        };
      });
    } catch (error) {
      globalThis.reportError(error); // the state cannot be kept; it is right on the page all the same
    }
  }
}

function onPageAway(listener: () => void): () => void {
  if (typeof document === "undefined") return () => {};
  const hidden = () => document.visibilityState === "hidden" && listener();
  document.addEventListener("visibilitychange", hidden);
  window.addEventListener("pagehide", listener);
  return () => {
    document.removeEventListener("visibilitychange", hidden);
    window.removeEventListener("pagehide", listener);
  };
}
