import type { Commands } from "../session/commands.js";
import { initOf, type Said } from "./messages.js";

/** The sessions of the tab that leads, which speak for all tabs: the connection, and behind it one that is tried beside it. */
export class Voices {
  readonly #all = new Set<Commands>();
  readonly #onNew: () => void;

  /** `onNew` is called when another session speaks, which has said nothing yet. */
  constructor(onNew: () => void) {
    this.#onNew = onNew;
  }

  /** A session begins; the result ends it. */
  add(commands: Commands): () => void {
    this.#all.add(commands);
    if (this.#all.size === 1) this.#onNew();
    return () => {
      const [first] = this.#all;
      if (this.#all.delete(commands) && first === commands) this.#onNew();
    };
  }

  /** What does not arrive is made good by the tab's next sign of life. */
  say(said: Said): void {
    const [first] = this.#all;
    void first?.present(initOf(said), () => {});
  }
}
