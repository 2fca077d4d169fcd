import type { ConnectionSnapshot } from "../connection/snapshot.js";
import { RealtimeError } from "../errors.js";
import type { ContentInit } from "../publish.js";
import type { SessionContext } from "../session/context.js";
import { Cell, type Store } from "../store.js";
import type { Place } from "../tabs/join.js";
import type { OpenOutbox } from "./outbox.js";
import { NO_OUTBOX, type Outbox, type OutboxSnapshot, type Queued, type QueueOptions } from "./types.js";

/** The outbox of a client before it is used: what it is made of is loaded when the client is first live, or used. */
export class OutboxHandle implements Outbox {
  readonly #session: SessionContext;
  readonly #shared: Place | null;
  readonly #cell: Cell<OutboxSnapshot>;
  #opening: Promise<OpenOutbox> | null = null;
  #open: OpenOutbox | null = null;
  #closed = false;

  /** Without `shared` nothing survives the page. */
  constructor(session: SessionContext, shared: Place | null, connection: Store<ConnectionSnapshot>) {
    this.#session = session;
    this.#shared = shared;
    this.#cell = new Cell(NO_OUTBOX, session.environment.report);
    let { phase } = connection.getSnapshot();
    connection.subscribe(() => {
      const before = phase;
      phase = connection.getSnapshot().phase;
      if (phase === "live" && before !== "live") this.#online();
    });
  }

  getSnapshot = (): OutboxSnapshot => this.#cell.getSnapshot();
  subscribe = (listener: () => void): (() => void) => this.#cell.subscribe(listener);

  async add(topic: string, content: ContentInit, options: QueueOptions = {}): Promise<Queued> {
    const outbox = await this.#use();
    this.#mark(true); // and no more taken away: another tab may be writing one down that is not seen here yet
    return outbox.add(topic, content, options);
  }

  async retry(id: string): Promise<void> {
    await (await this.#use()).retry(id);
  }

  async discard(id: string): Promise<void> {
    await (await this.#use()).discard(id);
  }

  /** The client connects: what an earlier page has left behind is to be sent. */
  connect(): void {
    if (!this.#closed && this.#mark()) void this.#load().catch(this.#session.environment.report);
  }

  /** The client is live. Offline the code could not be had any more, so it is loaded now, behind what is urgent. */
  #online(): void {
    if (this.#open) this.#open.online();
    else void import("./open.js").catch(() => {}); // tried again at the first use
  }

  async clear(): Promise<void> {
    // A draft that is about to be kept is the signed-out user's too. Where it fails, nothing was kept.
    await this.#opening?.catch(() => {});
    if (!this.#open && !this.#mark()) return;
    await (await this.#load()).clear();
    this.#mark(false);
  }

  close(): void {
    this.#closed = true;
    this.#open?.close();
  }

  /** The outbox, unless the client is closed, also while it is being opened. */
  async #use(): Promise<OpenOutbox> {
    this.#refuseClosed();
    const outbox = await this.#load();
    this.#refuseClosed();
    return outbox;
  }

  #refuseClosed(): void {
    if (this.#closed) throw new RealtimeError("The client is closed.", { kind: "aborted" });
  }

  #load(): Promise<OpenOutbox> {
    this.#opening ??= this.#begin().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async #begin(): Promise<OpenOutbox> {
    const { openOutbox } = await import("./open.js");
    const open = await openOutbox(this.#session, this.#shared, this.#cell);
    this.#refuseClosed();
    this.#open = open;
    open.start();
    return open;
  }

  /** A word for the next page whether there may be anything to look for; absent storage has nothing. */
  #mark(set?: boolean): boolean {
    if (!this.#shared?.host) return false;
    const key = `${this.#shared.name}:outbox`;
    try {
      if (set === undefined) return localStorage.getItem(key) !== null;
      if (set) localStorage.setItem(key, "1");
      else localStorage.removeItem(key);
    } catch {
      // Storage is blocked.
    }
    return false;
  }
}
