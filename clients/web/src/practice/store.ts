import type { RealtimeClient } from "../client.js";
import type * as pb from "../gen/shipspeak/realtime/v1/event_pb.js";
import { Shared } from "../state/shared.js";
import { type Definition, NOTHING_TOLD, type Told, TopicStore } from "../state/topic-store.js";
import type { Store } from "../store.js";
import { practiceReducer } from "./reducer.js";
import { INITIAL_PRACTICE, type PracticeState } from "./state.js";

export interface PracticeSnapshot extends PracticeState, Told {}

/** One practice session as a store; it reads the topic while something is subscribed to it. */
export type PracticeStore = Store<PracticeSnapshot>;

export const NO_PRACTICE: PracticeSnapshot = Object.freeze({ ...INITIAL_PRACTICE, ...NOTHING_TOLD });

const shared = new Shared<PracticeStore>();

/** The store of one practice session, the same one for everyone who asks with this client. */
export function practiceStore(client: RealtimeClient, sessionId: string): PracticeStore {
  const definition: Definition<PracticeState> = {
    topics: [`practice/${sessionId}`],
    start: "snapshot",
    initial: INITIAL_PRACTICE,
    reduce,
  };
  return shared.get(client, sessionId, (onUse) => new TopicStore(client, definition, onUse));
}

function reduce(state: PracticeState, event: pb.Event): PracticeState {
  const payload = event.content?.payload;
  if (payload?.case !== "practice") return state;
  return practiceReducer(state, payload.value, `${event.publisher} ${event.id}`);
}
