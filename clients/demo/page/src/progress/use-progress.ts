import type { Event } from "@shipspeak/realtime";
import { useTopicState } from "@shipspeak/realtime/react";
import { useMe } from "../services.js";

/** How far the person has come; the back end says how it is added up. */
export interface Progress {
  readonly level: number;
  readonly points: number;
  /** Days in a row. */
  readonly streak: number;
  /** 0 to 1 of the way to the next level. */
  readonly toNextLevel: number;
  /** 0 to 1 by name. */
  readonly goals: ReadonlyMap<string, number>;
}

const GOAL = "goal:";
const NEXT_LEVEL = "next-level";

/** The newest state stands: each event has all of it. */
export function progressReducer(state: Progress | null, event: Event): Progress | null {
  const payload = event.content?.payload;
  if (payload?.case !== "metrics") return state;
  const figures = new Map(payload.value.metrics.map(({ name, value }) => [name, value]));
  const goals = new Map<string, number>();
  for (const [name, value] of figures) if (name.startsWith(GOAL)) goals.set(name.slice(GOAL.length), value);
  const toNextLevel = goals.get(NEXT_LEVEL) ?? 0;
  goals.delete(NEXT_LEVEL);
  return {
    level: figures.get("level") ?? 1,
    points: figures.get("points") ?? 0,
    streak: figures.get("streak") ?? 0,
    toNextLevel,
    goals,
  };
}

/** Null until it has come. Inboxes know no snapshot, so it is read from the start of what is kept. */
export function useProgress(): Progress | null {
  const { id } = useMe();
  return useTopicState<Progress | null>(`user/${id}/progress`, progressReducer, null, { start: "earliest" })
    .state;
}
