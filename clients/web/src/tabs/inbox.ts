import type { ServerFrame } from "../gen/shipspeak/realtime/v1/frame_pb.js";
import type { Ready } from "./messages.js";

/** What a follower has heard from its leader and not worked off yet, in the order it was said. */
export type Heard =
  | { readonly kind: "frame"; readonly frame: ServerFrame; readonly bytes: number }
  | { readonly kind: "ready"; readonly ready: Ready };

/** Beyond this the tab is too busy to follow word by word; it asks the hub for what it has missed. */
const MOST = 1024;

/** A bounded queue with one reader. It outlives the stream that reads it, so that a reconnect of the leader costs no question. */
export class Inbox {
  #items: Heard[] = [];
  #wake: () => void = () => {};
  #overflowed = false;

  put(item: Heard): void {
    this.#items.push(item);
    if (this.#items.length > MOST) {
      this.#items = [];
      this.#overflowed = true;
    }
    this.#wake();
  }

  /** For what must wait for something else first. */
  putBack(item: Heard): void {
    this.#items.unshift(item);
  }

  take(): Heard | undefined {
    return this.#items.shift();
  }

  clear(): void {
    this.#items = [];
    this.#overflowed = false;
  }

  /** Whether something was thrown away since the last time that this was asked. */
  overflowed(): boolean {
    const was = this.#overflowed;
    this.#overflowed = false;
    return was;
  }

  /** Ends a `changed`: something else than a message has happened. */
  nudge(): void {
    this.#wake();
  }

  /** Resolves when there is something, or something has happened; at once for an aborted signal. */
  async changed(signal: AbortSignal): Promise<void> {
    if (this.#items.length === 0 && !this.#overflowed) await this.nudged(signal);
  }

  /** Resolves when something more comes or happens; at once for an aborted signal. */
  nudged(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener("abort", done);
        this.#wake = () => {};
        resolve();
      };
      if (signal.aborted) return done();
      this.#wake = done;
      signal.addEventListener("abort", done);
    });
  }
}
