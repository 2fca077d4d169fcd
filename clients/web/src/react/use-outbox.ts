import { useMemo, useSyncExternalStore } from "react";
import { NO_OUTBOX, type Outbox, type OutboxEntry, type OutboxSnapshot } from "../outbox/types.js";
import { useRealtime } from "./provider.js";

export interface OutboxView extends OutboxSnapshot {
  /** Keeps a draft and sends it when it can be sent. Resolves once it is kept; fails with OutboxFullError. */
  readonly add: Outbox["add"];
  /** Tries dead drafts again, each with the same id. */
  readonly retry: (...entries: readonly OutboxEntry[]) => Promise<void>;
  /** Throws drafts away; one that is on its way may be stored all the same. */
  readonly discard: (...entries: readonly OutboxEntry[]) => Promise<void>;
}

/** What this browser has kept to send, those of other tabs too, and what of it was refused. */
export function useOutbox(): OutboxView {
  const { outbox } = useRealtime();
  const snapshot = useSyncExternalStore(outbox.subscribe, outbox.getSnapshot, () => NO_OUTBOX);
  const calls = useMemo(
    () => ({
      add: (...draft: Parameters<Outbox["add"]>) => outbox.add(...draft),
      retry: async (...entries: readonly OutboxEntry[]) => {
        await Promise.all(entries.map(({ id }) => outbox.retry(id)));
      },
      discard: async (...entries: readonly OutboxEntry[]) => {
        await Promise.all(entries.map(({ id }) => outbox.discard(id)));
      },
    }),
    [outbox],
  );
  return useMemo(() => ({ ...snapshot, ...calls }), [snapshot, calls]);
}
