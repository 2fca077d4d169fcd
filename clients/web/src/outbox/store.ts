import type { Database } from "../persist/database.js";
import { checkRoom, type NewRow, OutboxFullError, type Row } from "./rows.js";

/** Where drafts are kept. */
export interface OutboxStore {
  /** Whether they survive the page. */
  readonly persistent: boolean;
  /** Keeps a draft, or finds the one that is kept with its id. Fails with OutboxFullError. */
  add(row: NewRow): Promise<Row>;
  /** All of them, in the order of writing. */
  all(): Promise<readonly Row[]>;
  /** Writes a row over; false when it is gone. */
  put(row: Row): Promise<boolean>;
  remove(seq: number): Promise<void>;
  clear(): Promise<void>;
}

/** For browsers without storage: lost with the page, and said so. */
export class MemoryStore implements OutboxStore {
  readonly persistent = false;
  readonly #rows = new Map<number, Row>();
  #last = 0;

  async add(next: NewRow): Promise<Row> {
    const rows = [...this.#rows.values()];
    const known = rows.find(({ id }) => id === next.id);
    if (known) return known;
    checkRoom(rows, next);
    this.#last += 1;
    const row = { ...next, seq: this.#last };
    this.#rows.set(row.seq, row);
    return row;
  }

  async all(): Promise<readonly Row[]> {
    return [...this.#rows.values()];
  }

  async put(row: Row): Promise<boolean> {
    const known = this.#rows.has(row.seq);
    if (known) this.#rows.set(row.seq, row);
    return known;
  }

  async remove(seq: number): Promise<void> {
    this.#rows.delete(seq);
  }

  async clear(): Promise<void> {
    this.#rows.clear();
  }
}

/** In the browser's database, shared by all tabs of the user. */
export class DatabaseStore implements OutboxStore {
  readonly persistent = true;
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async add(next: NewRow): Promise<Row> {
    let full: unknown;
    try {
      return await this.#database.change<Row>("outbox", (store, result) => {
        const all: IDBRequest<Row[]> = store.getAll();
        all.onsuccess = () => {
          const known = all.result.find(({ id }) => id === next.id);
          if (known) return result(known);
          try {
            checkRoom(all.result, next);
          } catch (error) {
            full = error;
            store.transaction.abort();
            return;
          }
          const added = store.add(next);
          added.onsuccess = () => result({ ...next, seq: added.result as number });
        };
      });
    } catch (error) {
      const noSpace = error instanceof DOMException && error.name === "QuotaExceededError";
      throw full ?? (noSpace ? new OutboxFullError(next.id, error) : error);
    }
  }

  all(): Promise<readonly Row[]> {
    return this.#database.read<Row[]>("outbox", (store) => store.getAll());
  }

  put(row: Row): Promise<boolean> {
    return this.#database.change<boolean>("outbox", (store, result) => {
      const found = store.getKey(row.seq);
      found.onsuccess = () => {
        result(found.result !== undefined);
        if (found.result !== undefined) store.put(row);
      };
    });
  }

  remove(seq: number): Promise<void> {
    return this.#database.change("outbox", (store) => void store.delete(seq));
  }

  clear(): Promise<void> {
    return this.#database.clear("outbox");
  }
}
