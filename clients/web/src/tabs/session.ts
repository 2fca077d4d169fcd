import type { Rung } from "../connection/ladder.js";
import { RealtimeError } from "../errors.js";
import type { SessionContext } from "../session/context.js";
import { sessionOn } from "../session/open.js";
import type { Session, SessionEvents } from "../session/session.js";
import { StreamSession } from "../session/stream-session.js";
import type { Tabs } from "./tabs.js";
import { HeardWire, RelayWire } from "./wires.js";

/**
 * A session of a tab that shares its connection. It finds out what the tab is, and then is one with the hub, on the rung
 * it was opened for, or the leader's relay, which knows no rungs. It ends, to be opened anew, when the tab's part changes.
 */
export class TabSession implements Session {
  readonly #context: SessionContext;
  readonly #tabs: Tabs;
  readonly #rung: Rung;
  readonly #events: SessionEvents;
  readonly #stop = new AbortController();
  #inner: Session | null = null;

  constructor(context: SessionContext, tabs: Tabs, rung: Rung, events: SessionEvents) {
    this.#context = context;
    this.#tabs = tabs;
    this.#rung = rung;
    this.#events = events;
  }

  start(): void {
    void this.#begin();
  }

  adopted(): void {
    this.#inner?.adopted();
  }

  close(): void {
    this.#stop.abort();
    this.#inner?.close();
  }

  subscriptionsChanged(): void {
    this.#inner?.subscriptionsChanged();
  }

  tokenChanged(): void {
    this.#inner?.tokenChanged();
  }

  checkAlive(): void {
    this.#inner?.checkAlive();
  }

  async #begin(): Promise<void> {
    const role = await this.#tabs.enter(this.#stop.signal);
    if (this.#stop.signal.aborted) return;
    if (role === "follower") this.#follow();
    else if (role === "leader") this.#lead();
    else this.#run(sessionOn(this.#rung, this.#context, this.#events));
  }

  #follow(): void {
    if (!this.#events.isConnection()) {
      // There is no better rung to be tried: this tab is on none.
      this.#events.lost(new RealtimeError("Another tab leads.", { kind: "aborted" }));
      return;
    }
    const how = {
      rung: this.#rung,
      wire: (signal: AbortSignal) => new RelayWire(this.#tabs.follower, signal),
    };
    this.#run(new StreamSession(this.#context, how, { ...this.#events, connecting: () => {} }));
  }

  #lead(): void {
    const { deposed } = this.#tabs;
    const { signal } = this.#stop;
    const end = () => {
      if (signal.aborted) return;
      this.close();
      this.#events.sentAway(0);
    };
    deposed.addEventListener("abort", end, { signal });
    this.#run(sessionOn(this.#rung, this.#context, this.#events, (wire) => new HeardWire(wire, this.#tabs)));
  }

  #run(session: Session): void {
    this.#inner = session;
    session.start();
  }
}
