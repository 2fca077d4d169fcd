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

const stores = new WeakMap<RealtimeClient, Map<string, MeetingStore>>();

/** The store of one meeting, the same one for everyone who asks with this client. */
export function meetingStore(client: RealtimeClient, meetingId: string): MeetingStore {
  const ofClient = stores.get(client) ?? new Map<string, MeetingStore>();
  stores.set(client, ofClient);
  const store = ofClient.get(meetingId) ?? new SharedMeeting(client, meetingId);
  ofClient.set(meetingId, store);
  return store;
}

class SharedMeeting implements MeetingStore {
  readonly #client: RealtimeClient;
  readonly #topic: string;
  readonly #cell = new Cell<MeetingSnapshot>(NO_MEETING, (error) => globalThis.reportError(error));
  #watchers = 0;
  #stop: () => void = () => {};

  constructor(client: RealtimeClient, meetingId: string) {
    this.#client = client;
    this.#topic = `meeting/${meetingId}`;
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
      if (this.#watchers === 0) this.#stop();
    };
  };

  #open(): void {
    // A topic that is opened again is read from its beginning again. The reducer never moves back, so what was
    // known stays on the screen meanwhile.
    const update = (change: Partial<MeetingSnapshot>) =>
      this.#cell.set({ ...this.#cell.getSnapshot(), ...change });
    this.#stop = this.#client.topic(this.#topic).subscribe({
      start: "earliest",
      onEvent: (event) => this.#cell.set(reduce(this.#cell.getSnapshot(), event)),
      onVerdict: ({ verdict }) => {
        if (verdict === "reset") this.#cell.set(NO_MEETING);
        if (verdict === "gap") update({ incomplete: true });
      },
      onError: (error) => update({ error }),
    });
  }
}

function reduce(state: MeetingSnapshot, event: pb.Event): MeetingSnapshot {
  const payload = event.content?.payload;
  if (payload?.case !== "meeting") return state;
  if (event.offset <= state.offset) return state; // read again after the topic was opened again
  const meeting = meetingReducer(state, payload.value);
  return { ...state, ...meeting, offset: event.offset };
}
