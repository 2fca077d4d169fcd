import type { RealtimeClient } from "../client.js";

/** What is shared outlives its last user this long, so that a component which mounts again finds what was known. */
const LINGER_MS = 1000;

type Maker<T extends object> = (onUse: (used: boolean) => void) => T;

/** Keeps one object for each client and key while it is used, and a moment longer. */
export class Shared<T extends object> {
  readonly #ofClients = new WeakMap<RealtimeClient, Map<string, T>>();

  /** The object of this key; made where there is none. It tells by `onUse` whether anyone uses it. */
  get(client: RealtimeClient, key: string, make: Maker<T>): T {
    const all = this.#ofClients.get(client) ?? new Map<string, T>();
    this.#ofClients.set(client, all);
    return all.get(key) ?? this.#make(all, key, make);
  }

  #make(all: Map<string, T>, key: string, make: Maker<T>): T {
    let linger: ReturnType<typeof setTimeout> | undefined;
    const dropLater = () => {
      clearTimeout(linger);
      linger = setTimeout(() => all.get(key) === made && all.delete(key), LINGER_MS);
    };
    const made = make((used) => {
      clearTimeout(linger);
      if (!used) dropLater();
      else if (!all.has(key)) all.set(key, made);
    });
    all.set(key, made);
    dropLater();
    return made;
  }
}
