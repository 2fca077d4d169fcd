import type { TabsContext } from "./context.js";
import type { Channel, TabsHost } from "./host.js";
import { type Body, readMessage, TABS_VERSION, type TabMessage } from "./messages.js";
import { SignOuts } from "./sign-outs.js";

/** Where the tabs of a scope hear each other, and learn of each other's end. */
export class Room {
  readonly #id: string;
  readonly #name: string;
  readonly #host: TabsHost;
  readonly #life = new AbortController();
  readonly #signOuts: SignOuts;
  #channel: Channel | null = null;
  #receive: ((message: TabMessage) => void) | null = null;
  /** The leadership that this tab has or follows; empty = none known. */
  term = "";

  constructor({ id, name, host, environment }: Omit<TabsContext, "transport">) {
    this.#id = id;
    this.#name = name;
    this.#host = host;
    this.#signOuts = new SignOuts(environment, name);
  }

  /** Comes in, once. Fails with the browser's error where there are no channels. */
  enter(receive: (message: TabMessage) => void): boolean {
    if (this.#receive) return false;
    this.#channel = this.#open(receive);
    this.#receive = receive;
    this.#signOuts.isNew(); // what was before is not of this page
    // Held for life, so that the leader learns of the end of this tab however it comes.
    const { signal } = this.#life;
    const life = () => new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    void this.#host.locks.request(this.#lockOf(this.#id), life).catch(() => {});
    return true;
  }

  /** Hears and says nothing: a page that is kept for later, and hears a message there, is thrown away by Chromium. */
  mute(): void {
    this.#channel?.close();
    this.#channel = null;
  }

  /** Hears and says again; true = the user has signed out meanwhile. */
  unmute(): boolean {
    if (!this.#receive) return false;
    this.#channel ??= this.#open(this.#receive);
    return this.#signOuts.isNew();
  }

  signOut(): void {
    this.#signOuts.set();
    this.say({ kind: "sign-out" });
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
    this.mute();
    this.#receive = null;
  }

  #open(receive: (message: TabMessage) => void): Channel {
    return this.#host.openChannel(this.#name, (data) => {
      const message = readMessage(data);
      if (!message || message.from === this.#id) return;
      if (message.kind === "sign-out") this.#signOuts.isNew(); // this one is told now, and not again
      receive(message);
    });
  }

  #lockOf(tab: string): string {
    return `${this.#name}:tab:${tab}`;
  }
}

function stoppable(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const stop = new AbortController();
  return { signal: stop.signal, abort: () => stop.abort() };
}
