/** How many ids of a volatile topic are remembered; two transports overlap for seconds at most. */
const REMEMBERED = 1024;

/** The latest ids of a topic without offsets, for handing each event over once. */
export class RecentIds {
  readonly #ids = new Set<string>();

  /** False when the id was there already. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > REMEMBERED) {
      for (const oldest of this.#ids) {
        this.#ids.delete(oldest);
        break;
      }
    }
    return true;
  }
}
