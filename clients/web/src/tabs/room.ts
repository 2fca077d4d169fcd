import type { Channel, TabsHost } from "./host.js";
import { type Body, readMessage, TABS_VERSION, type TabMessage } from "./messages.js";

/** Where the tabs of a scope hear each other, and learn of each other's end. */
export class Room {
  readonly #id: string;
  readonly #name: string;
  readonly #host: TabsHost;
  readonly #life = new AbortController();
  #channel: Channel | null = null;
  /** The leadership that this tab has or follows; empty = none known. */
  term = "";

  constructor(id: string, name: string, host: TabsHost) {
    this.#id = id;
    this.#name = name;
    this.#host = host;
  }

  /** Comes in, once. Fails with the browser's error where there are no channels. */
  enter(receive: (message: TabMessage) => void): boolean {
    if (this.#channel) return false;
    this.#channel = this.#host.openChannel(this.#name, (data) => {
      const message = readMessage(data);
      if (message && message.from !== this.#id) receive(message);
    });
    // Held for life, so that the leader learns of the end of this tab however it comes.
    const { signal } = this.#life;
    const life = () => new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    void this.#host.locks.request(this.#lockOf(this.#id), life).catch(() => {});
    return true;
  }

  say(body: Body): void {
    this.#channel?.post({ v: TABS_VERSION, from: this.#id, term: this.term, ...body });
  }

  /** Calls `gone` when a tab has ended; the result ends the watch. */
  watch(tab: string, gone: () => void): () => void {
    const { signal, abort } = stoppable();
    void this.#host.locks.request(this.#lockOf(tab), { signal }, gone).catch(() => {});
    return abort;
  }

  leave(): void {
    this.#life.abort();
    this.#channel?.close();
    this.#channel = null;
  }

  #lockOf(tab: string): string {
    return `${this.#name}:tab:${tab}`;
  }
}

function stoppable(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const stop = new AbortController();
  return { signal: stop.signal, abort: () => stop.abort() };
}
