import type { RealtimeClient } from "../client.js";
import type * as pb from "../gen/shipspeak/realtime/v1/event_pb.js";
import { Shared } from "../state/shared.js";
import { type Definition, NOTHING_TOLD, type Told, TopicStore } from "../state/topic-store.js";
import type { Store } from "../store.js";
import { meetingReducer } from "./reducer.js";
import { INITIAL_MEETING, type MeetingState } from "./state.js";

export interface MeetingSnapshot extends MeetingState, Told {}

/** One meeting as a store; it reads the topic while something is subscribed to it. */
export type MeetingStore = Store<MeetingSnapshot>;

export const NO_MEETING: MeetingSnapshot = Object.freeze({ ...INITIAL_MEETING, ...NOTHING_TOLD });

const shared = new Shared<MeetingStore>();

/** The store of one meeting, the same one for everyone who asks with this client. */
export function meetingStore(client: RealtimeClient, meetingId: string): MeetingStore {
  const definition: Definition<MeetingState> = {
    topics: [`meeting/${meetingId}`],
    // The latest of each key: publishers give none to what must not be missed, and the reducer never moves back.
    start: "snapshot",
    initial: INITIAL_MEETING,
    reduce,
  };
  return shared.get(client, meetingId, (onUse) => new TopicStore(client, definition, onUse));
}

function reduce(state: MeetingState, event: pb.Event): MeetingState {
  const payload = event.content?.payload;
  return payload?.case === "meeting" ? meetingReducer(state, payload.value) : state;
}
