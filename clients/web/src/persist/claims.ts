import type { Environment } from "../environment.js";
import type { Database } from "./database.js";

/** A claim is remembered this long; what is older is shown by nobody any more. */
const REMEMBERED_MS = 86_400_000;
/** A tab that nobody looks at leaves a visible one this much time to be first. */
const HIDDEN_WAIT_MS = 300;

/** Sees to it that of all tabs one does a thing, such as show a toast, and does it once. */
export class Claims {
  readonly #environment: Environment;
  readonly #database: () => Promise<Database | null>;
  readonly #own = new Set<string>();

  constructor(environment: Environment, database: () => Promise<Database | null>) {
    this.#environment = environment;
    this.#database = database;
  }

  /** True for the first who asks. Without storage every tab decides for itself. */
  async claim(key: string): Promise<boolean> {
    if (this.#own.has(key)) return false;
    this.#own.add(key);
    const database = await this.#database();
    if (!database) return true;
    if (this.#environment.hidden()) {
      await new Promise<void>((resolve) => this.#environment.schedule(resolve, HIDDEN_WAIT_MS));
    }
    const now = this.#environment.now();
    return database.change<boolean>("claims", (store, result) => {
      const known = store.get(key);
      known.onsuccess = () => {
        result(known.result === undefined);
        if (known.result === undefined) store.put(now, key);
      };
      const all = store.openCursor();
      all.onsuccess = () => {
        const cursor = all.result;
        if (!cursor) return;
        if (now - (cursor.value as number) > REMEMBERED_MS) cursor.delete();
        cursor.continue();
      };
    });
  }
}
