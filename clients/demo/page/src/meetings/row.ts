import type { Event } from "@shipspeak/realtime";
import type { Meeting } from "../backend.js";

/** The topic on which the back end keeps one row for each meeting that has moved, its key the meeting's id. */
export const LIST_TOPIC = "meeting/list";

/** A meeting in the list: the back end's row, with what the hub has told since. */
export interface Row {
  readonly id: string;
  readonly title: string;
  readonly owner: string;
  readonly status: Meeting["status"];
  readonly attempt: number;
  /** 0 to 100 of all stages. */
  readonly percent: number;
  readonly stage: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
}

export type Rows = ReadonlyMap<string, Row>;

const STATUSES: ReadonlySet<string> = new Set(["uploading", "queued", "processing", "completed", "failed"]);

/** The rows after one more event; pure. */
export function rowReducer(rows: Rows, event: Event): Rows {
  const row = rowOf(event);
  if (!row) return rows;
  const known = rows.get(row.id);
  return known && isBehind(row, known) ? rows : new Map(rows).set(row.id, row);
}

/** The list to show: newest first. A row that has ended by the back end's word has ended. */
export function merged(meetings: readonly Meeting[], live: Rows): readonly Row[] {
  const all = new Map<string, Row>(live);
  for (const meeting of meetings) {
    const told = rowFrom(meeting);
    const known = live.get(meeting.id);
    all.set(meeting.id, known && isBehind(told, known) ? known : told);
  }
  return [...all.values()].sort((a, b) => b.createdAt - a.createdAt);
}

export function isRunning({ status }: Row): boolean {
  return status !== "completed" && status !== "failed";
}

/** Progress of one attempt never moves back, and what has ended stays so. */
function isBehind(news: Row, known: Row): boolean {
  if (news.attempt !== known.attempt) return news.attempt < known.attempt;
  if (isRunning(news) !== isRunning(known)) return isRunning(news);
  return news.percent < known.percent;
}

function rowOf(event: Event): Row | null {
  const { content } = event;
  if (content?.payload.case !== "metrics" || !content.key) return null;
  const figures = new Map(content.payload.value.metrics.map(({ name, value }) => [name, value]));
  const { title = "", owner = "", status = "", stage = "", created_at = "" } = content.attributes;
  if (!STATUSES.has(status)) return null;
  return {
    id: content.key,
    title,
    owner,
    status: status as Meeting["status"],
    attempt: figures.get("attempt") ?? 1,
    percent: figures.get("percent") ?? 0,
    stage,
    createdAt: Number(created_at) || 0,
  };
}

function rowFrom({ id, title, owner, status, attempt, created_at }: Meeting): Row {
  const percent = status === "completed" ? 100 : 0;
  return { id, title, owner, status, attempt, percent, stage: "", createdAt: created_at };
}
