import type { RealtimeClient } from "../client.js";
import type { RealtimeError } from "../errors.js";
import type * as pb from "../gen/shipspeak/realtime/v1/event_pb.js";
import { Cell, type Store } from "../store.js";
import { meetingReducer } from "./reducer.js";
import { INITIAL_MEETING, type MeetingState } from "./state.js";

export interface MeetingSnapshot extends MeetingState {
  /** Offset of the latest event; 0n = none yet. */
  readonly offset: bigint;
  /** The meeting's topic was refused. */
  readonly error: RealtimeError | null;
  /** History was trimmed before it was read: earlier steps may be missing. */
  readonly incomplete: boolean;
}

/** One meeting as a store; it reads the topic while something is subscribed to it. */
export type MeetingStore = Store<MeetingSnapshot>;

export const NO_MEETING: MeetingSnapshot = Object.freeze({
  ...INITIAL_MEETING,
  offset: 0n,
  error: null,
  incomplete: false,
});

/** A store outlives its last watcher this long, so that a component which mounts again finds what was known. */
const LINGER_MS = 1000;

const stores = new WeakMap<RealtimeClient, Map<string, MeetingStore>>();

/** The store of one meeting, the same one for everyone who asks with this client. */
export function meetingStore(client: RealtimeClient, meetingId: string): MeetingStore {
  const ofClient = stores.get(client) ?? new Map<string, MeetingStore>();
  stores.set(client, ofClient);
  return ofClient.get(meetingId) ?? new SharedMeeting(client, meetingId, ofClient);
}

class SharedMeeting implements MeetingStore {
  readonly #client: RealtimeClient;
  readonly #id: string;
  readonly #shared: Map<string, MeetingStore>;
  readonly #cell = new Cell<MeetingSnapshot>(NO_MEETING, (error) => globalThis.reportError(error));
  #watchers = 0;
  #stop: () => void = () => {};
  #linger: ReturnType<typeof setTimeout> | undefined;

  constructor(client: RealtimeClient, meetingId: string, shared: Map<string, MeetingStore>) {
    this.#client = client;
    this.#id = meetingId;
    this.#shared = shared;
    shared.set(meetingId, this);
    this.#dropLater();
  }

  readonly getSnapshot = (): MeetingSnapshot => this.#cell.getSnapshot();

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
      this.#stop();
      this.#dropLater();
    };
  };

  #open(): void {
    clearTimeout(this.#linger);
    if (!this.#shared.has(this.#id)) this.#shared.set(this.#id, this);
    // A topic that is opened again is read from a snapshot again: the latest of each key, and publishers give none
    // to what must not be missed. The reducer never moves back, so what was known stays on the screen meanwhile;
    // what the hub said of that reading is over.
    this.#update({ error: null, incomplete: false });
    this.#stop = this.#client.topic(`meeting/${this.#id}`).subscribe({
      start: "snapshot",
      onEvent: (event) => this.#cell.set(reduce(this.#cell.getSnapshot(), event)),
      onVerdict: ({ verdict }) => {
        if (verdict === "reset") this.#cell.set(NO_MEETING);
        else this.#update(verdict === "gap" ? { error: null, incomplete: true } : { error: null });
      },
      onError: (error) => this.#update({ error }),
    });
  }

  /** Sets what differs; a change of nothing is not told. */
  #update(change: Pick<Partial<MeetingSnapshot>, "error" | "incomplete">): void {
    const before = this.#cell.getSnapshot();
    const { error, incomplete } = { ...before, ...change };
    if (error !== before.error || incomplete !== before.incomplete) this.#cell.set({ ...before, ...change });
  }

  #dropLater(): void {
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => {
      if (this.#shared.get(this.#id) === this) this.#shared.delete(this.#id);
    }, LINGER_MS);
  }
}

function reduce(state: MeetingSnapshot, event: pb.Event): MeetingSnapshot {
  const payload = event.content?.payload;
  if (payload?.case !== "meeting") return state;
  if (event.offset <= state.offset) return state; // read again after the topic was opened again
  const meeting = meetingReducer(state, payload.value);
  return { ...state, ...meeting, offset: event.offset };
}
