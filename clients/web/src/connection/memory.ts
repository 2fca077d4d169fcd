import type { Environment } from "../environment.js";
import { LADDER, type Rung } from "./ladder.js";

/** After this long a network is taken for another one. */
const KEPT_MS = 600_000;

/**
 * Remembers the rung that was good, so that a reload on a network that blocks streams begins where the last page
 * ended. Storage may be missing, full or forbidden: then there is no memory.
 */
export class RungMemory {
  readonly #environment: Environment;
  readonly #key: string;

  constructor(environment: Environment, hub: string) {
    this.#environment = environment;
    this.#key = `shipspeak-realtime:rung:${hub}`;
  }

  load(): Rung | null {
    try {
      const text = this.#environment.storage()?.getItem(this.#key) ?? "null";
      const kept = JSON.parse(text) as { rung?: unknown; until?: unknown } | null;
      const until = typeof kept?.until === "number" ? kept.until : 0;
      const leftMs = until - this.#environment.now();
      if (leftMs <= 0 || leftMs > KEPT_MS) return null;
      return LADDER.find((rung) => rung === kept?.rung) ?? null;
    } catch {
      return null;
    }
  }

  /** `null` forgets: the best rung needs no memory. */
  save(rung: Rung | null): void {
    try {
      const storage = this.#environment.storage();
      if (rung === null) storage?.removeItem(this.#key);
      else storage?.setItem(this.#key, JSON.stringify({ rung, until: this.#environment.now() + KEPT_MS }));
    } catch {
      // Nothing depends on it.
    }
  }
}
