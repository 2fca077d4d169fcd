import { databaseOf } from "../persist/open.js";
import type { SessionContext } from "../session/context.js";
import type { Cell } from "../store.js";
import type { Place } from "../tabs/join.js";
import { OpenOutbox } from "./outbox.js";
import { DatabaseStore, MemoryStore } from "./store.js";
import type { OutboxSnapshot } from "./types.js";

/** Opens the outbox of a scope; where the browser keeps nothing, one in memory. */
export async function openOutbox(
  session: SessionContext,
  shared: Place | null,
  cell: Cell<OutboxSnapshot>,
): Promise<OpenOutbox> {
  // Without locks two tabs would send the same rows; so each has its own then.
  const host = shared?.host;
  const database = host ? await databaseOf(shared.name) : null;
  if (host && database) {
    const store = new DatabaseStore(database);
    return new OpenOutbox({ session, store, shared: { name: shared.name, host }, cell });
  }
  return new OpenOutbox({ session, store: new MemoryStore(), shared: null, cell });
}
