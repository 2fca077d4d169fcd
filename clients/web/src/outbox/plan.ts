import { RealtimeError } from "../errors.js";
import { endOf, type Row } from "./rows.js";

/** Keys that are sent at the same time. */
export const MOST_KEYS = 4;

/** The rows to send now: the first of each key that is idle, as many keys as there is room for. */
export function nextRows(rows: readonly Row[], busy: ReadonlySet<string>): Row[] {
  const chosen = new Map<string, Row>();
  for (const row of rows) {
    if (busy.size + chosen.size >= MOST_KEYS) break;
    if (row.state !== "dead" && !busy.has(row.key) && !chosen.has(row.key)) chosen.set(row.key, row);
  }
  return [...chosen.values()];
}

/** A row that goes out now. It is written down before, so that the time of the first attempt survives a crash. */
export function started(row: Row, now: number): Row {
  return { ...row, state: "sending", attempts: row.attempts + 1, firstSentAt: row.firstSentAt ?? now };
}

/** A row that the hub refused, or that has waited too long. */
export function died(row: Row, error: RealtimeError): Row {
  const { message, kind, reason } = error;
  return { ...row, state: "dead", error: { message, kind, reason } };
}

export function isTooOld(row: Row, now: number): boolean {
  return now >= endOf(row);
}

export function tooOld(row: Row): RealtimeError {
  return new RealtimeError("The draft has waited too long to be sent.", { kind: "timeout", id: row.id });
}

/**
 * What a failure means for the drain. `again`: for every draft, after a wait that the hub may have named; `auth`: nobody is
 * signed in, so nothing goes out; `dead`: this draft will never be taken.
 */
export type Meaning =
  | { readonly kind: "again"; readonly hintMs: number | null; readonly busy: boolean }
  | { readonly kind: "auth" }
  | { readonly kind: "dead" };

export function meaningOf(error: RealtimeError): Meaning {
  if (error.kind === "auth") return { kind: "auth" };
  const told = error.kind === "unknown" && error.cause instanceof RealtimeError ? error.cause : error;
  if (told.kind === "auth") return { kind: "auth" };
  const again = told.retryable || error.kind === "unknown" || error.kind === "aborted" || isForeign(told);
  if (!again) return { kind: "dead" };
  return { kind: "again", hintMs: told.retryAfterMs, busy: told.kind === "busy" };
}

/** Not in the hub's own words: a captive portal or a proxy. */
function isForeign({ kind, code }: RealtimeError): boolean {
  return kind === "unsupported" && code === null;
}
