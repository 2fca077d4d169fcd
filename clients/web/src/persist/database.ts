/** What is kept in the browser for one user of one hub; the database's name is the scope's, so users never mix. */
export type StoreName = "outbox" | "states" | "claims";

const VERSION = 1;

/** A database of the browser with promises. Every method fails with the browser's own error. */
export class Database {
  readonly #connection: IDBDatabase;

  private constructor(connection: IDBDatabase) {
    this.#connection = connection;
    // Another tab brings a newer version of the page: it must not wait for this one.
    connection.onversionchange = () => connection.close();
  }

  /** Opens it, or fails: storage is blocked, or there is none. */
  static open(name: string): Promise<Database> {
    return new Promise((resolve, reject) => {
      const opening = indexedDB.open(name, VERSION);
      opening.onupgradeneeded = () => {
        const rows = opening.result.createObjectStore("outbox", { keyPath: "seq", autoIncrement: true });
        rows.createIndex("id", "id", { unique: true });
        opening.result.createObjectStore("states");
        opening.result.createObjectStore("claims");
      };
      opening.onsuccess = () => resolve(new Database(opening.result));
      opening.onerror = () => reject(opening.error);
      opening.onblocked = () => reject(new Error("An older page holds the database."));
    });
  }

  /**
   * Runs `work` in one transaction, and resolves with what it returned once that is on the disk. `work` must ask
   * everything in callbacks of requests: a transaction ends when it waits for something else.
   */
  change<T>(store: StoreName, work: (rows: IDBObjectStore, result: (value: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const transaction = this.#connection.transaction(store, "readwrite", { durability: "strict" });
      let value: T;
      transaction.oncomplete = () => resolve(value);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error ?? new Error("The transaction was given up."));
      work(transaction.objectStore(store), (result) => {
        value = result;
      });
    });
  }

  /** Reads by one request. */
  read<T>(store: StoreName, ask: (rows: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const request = ask(this.#connection.transaction(store, "readonly").objectStore(store));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }

  clear(store: StoreName): Promise<void> {
    return this.change(store, (rows) => void rows.clear());
  }

  close(): void {
    this.#connection.close();
  }
}
