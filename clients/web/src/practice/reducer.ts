import {
  type CoachingHint,
  HintLevel,
  type PracticeUpdate,
} from "../gen/shipspeak/realtime/v1/practice_pb.js";
import { durationMs } from "../time.js";
import { HINTS_KEPT, type Hint, type HintTone, type PracticeState } from "./state.js";

const TONES: Readonly<Partial<Record<HintLevel, HintTone>>> = {
  [HintLevel.PRAISE]: "praise",
  [HintLevel.NUDGE]: "nudge",
  [HintLevel.URGENT]: "urgent",
};

/**
 * The state after one more update; pure. `key` names the event that brought it. Of figures and scores the newest stand;
 * a milestone counts once by its id; behind the last figures nothing changes any more.
 */
export function practiceReducer(state: PracticeState, message: PracticeUpdate, key: string): PracticeState {
  if (state.phase === "ended") return state;
  const { update } = message;
  switch (update.case) {
    case "hint":
      return withHint(state, update.value, key);
    case "score": {
      const { overall, dimensions } = update.value;
      return { ...state, phase: "live", overall, dimensions };
    }
    case "milestone": {
      const { milestoneId: id, title, description, fraction } = update.value;
      if (state.milestones.some((one) => one.id === id)) return state;
      return {
        ...state,
        phase: "live",
        milestones: [...state.milestones, { id, title, description, fraction }],
      };
    }
    case "analytics": {
      const { elapsed, figures, final } = update.value;
      const elapsedMs = durationMs(elapsed) ?? state.elapsedMs;
      return { ...state, phase: final ? "ended" : "live", elapsedMs, figures };
    }
    default:
      return state; // a kind of a later version
  }
}

function withHint(state: PracticeState, hint: CoachingHint, key: string): PracticeState {
  if (state.hints.some((one) => one.key === key)) return state;
  const { aspect, text, level, at } = hint;
  const added: Hint = { key, aspect, text, tone: TONES[level] ?? "info", atMs: durationMs(at) };
  return { ...state, phase: "live", hints: [...state.hints, added].slice(-HINTS_KEPT) };
}
