import { create, toBinary } from "@bufbuild/protobuf";
import { RealtimeError } from "../errors.js";
import { ContentSchema } from "../gen/shipspeak/realtime/v1/event_pb.js";
import type { ContentInit } from "../publish.js";
import type { Receipt } from "../repeat.js";
import type { SessionContext } from "../session/context.js";
import type { Cell } from "../store.js";
import type { Channel, TabsHost } from "../tabs/host.js";
import { Leadership } from "../tabs/leadership.js";
import { uuidv7 } from "../uuid.js";
import { Drain } from "./drain.js";
import type { Row } from "./rows.js";
import type { OutboxStore } from "./store.js";
import type { OutboxEntry, OutboxSnapshot, Queued, QueueOptions } from "./types.js";
import { Waiters } from "./waiters.js";

export interface OutboxContext {
  readonly session: SessionContext;
  readonly store: OutboxStore;
  /** Shared by the tabs that share the store; null = this tab has its own. */
  readonly shared: { readonly name: string; readonly host: TabsHost } | null;
  readonly cell: Cell<OutboxSnapshot>;
}

const VERSION = 1;

type Said =
  | { readonly kind: "changed" | "wake" | "awake" }
  | { readonly kind: "paused"; readonly paused: boolean }
  | { readonly kind: "taken"; readonly receipt: Receipt }
  | { readonly kind: "dead" | "gone"; readonly id: string };

/** The outbox once it is used. Of the tabs that share it one sends; the others wait in line to do so when that one ends. */
export class OpenOutbox {
  readonly #context: OutboxContext;
  readonly #waiters = new Waiters();
  readonly #leadership: Leadership | null;
  #channel: Channel | null = null;
  #stopPage: () => void = () => {};
  #drain: Drain | null = null;
  #paused = false;
  #reading = false;
  #again = false;
  #cancelQuestion: () => void = () => {};

  constructor(context: OutboxContext) {
    this.#context = context;
    const { shared } = context;
    this.#leadership =
      shared &&
      new Leadership(shared.host.locks, `${shared.name}:outbox`, {
        gained: () => this.#begin(),
        lost: () => {
          this.#end();
          this.#leadership?.ask();
        },
        unusable: () => this.#begin(),
      });
  }

  start(): void {
    const { shared } = this.#context;
    if (shared) {
      this.#unmute(shared);
      this.#stopPage = shared.host.onPage((news) => {
        if (news === "left") {
          this.#leave();
          this.#mute();
        } else if (news === "returned") {
          this.#unmute(shared);
          this.#leadership?.ask();
          void this.#show();
        }
      });
    }
    if (this.#leadership) this.#leadership.ask();
    else this.#begin();
    void this.#show();
  }

  async add(topic: string, content: ContentInit, options: QueueOptions): Promise<Queued> {
    const { session, store } = this.#context;
    const now = session.environment.now();
    const { id = uuidv7(now), ttlMs = null, key = topic } = options;
    const bytes = toBinary(ContentSchema, create(ContentSchema, content));
    // Before it is kept: from then on another tab may send it.
    const wait = this.#waiters.wait(id);
    let row: Row;
    try {
      row = await store.add({
        ...{ id, topic, key, ttlMs, createdAt: now, attempts: 0, content: bytes },
        ...{ firstSentAt: null, state: "queued", error: null },
      });
    } catch (error) {
      wait.giveUp();
      throw error;
    }
    const { receipt } = wait;
    if (row.state === "dead") this.#waiters.settle(id, errorOf(row));
    this.#changed();
    this.#wake();
    return { id: row.id, persistent: store.persistent, receipt };
  }

  async retry(id: string): Promise<void> {
    const { session, store } = this.#context;
    const row = await this.#find(id);
    if (row?.state !== "dead") return;
    await store.put({ ...row, state: "queued", error: null, createdAt: session.environment.now() });
    this.#changed();
    this.#wake();
  }

  async discard(id: string): Promise<void> {
    const row = await this.#find(id);
    if (row) await this.#context.store.remove(row.seq);
    this.#changed();
    this.#say({ kind: "gone", id });
    this.#waiters.settle(id, null);
  }

  /** The hub can be reached now, as far as one can tell. */
  online(): void {
    if (this.#drain) this.#drain.retry();
    else this.#leadership?.ask();
  }

  /** Throws everything away: the user has signed out. */
  async clear(): Promise<void> {
    this.#leave();
    await this.#context.store.clear();
    this.#waiters.giveUp();
    this.#changed();
    this.#leadership?.ask();
    if (!this.#leadership) this.#begin();
  }

  close(): void {
    this.#leave();
    this.#stopPage();
    this.#mute();
    this.#waiters.giveUp();
  }

  #begin(): void {
    this.#drain?.stop();
    this.#drain = new Drain(this.#context.session, this.#context.store, {
      taken: (row, receipt) => {
        this.#say({ kind: "taken", receipt });
        this.#waiters.settle(row.id, receipt);
        this.#pause(false);
      },
      dead: (row, error) => {
        this.#say({ kind: "dead", id: row.id });
        this.#waiters.settle(row.id, error);
        this.#pause(false);
      },
      changed: () => this.#changed(),
      paused: (paused) => {
        this.#say({ kind: "paused", paused });
        this.#pause(paused);
        if (paused && this.#leadership) this.#leave();
      },
    });
    this.#drain.wake();
  }

  #end(): void {
    this.#drain?.stop();
    this.#drain = null;
  }

  /**
   * Sends no more, and stands in no line: the page is put away, or has no token, which another tab may have. It lines up
   * again when there is reason to.
   */
  #leave(): void {
    this.#cancelQuestion();
    this.#leadership?.resign();
    this.#end();
  }

  /** The tab that sends is told; one that does not answer is dead or frozen, and this tab sends in its place. */
  #wake(): void {
    if (this.#drain) {
      this.#drain.wake();
      return;
    }
    const { session, shared } = this.#context;
    this.#cancelQuestion();
    this.#cancelQuestion = session.environment.schedule(
      () => this.#leadership?.steal(),
      shared?.host.answerMs ?? 0,
    );
    this.#say({ kind: "wake" });
  }

  /** As in the room of the tabs: what is put away must hear nothing. */
  #mute(): void {
    this.#channel?.close();
    this.#channel = null;
  }

  #unmute({ host, name }: { readonly name: string; readonly host: TabsHost }): void {
    this.#channel ??= host.openChannel(`${name}:outbox`, (data) => this.#hear(data));
  }

  #say(said: Said): void {
    this.#channel?.post({ v: VERSION, ...said });
  }

  #hear(data: unknown): void {
    const said = data as (Said & { readonly v: number }) | null;
    if (said?.v !== VERSION) return;
    // An answer of the hub: somebody is signed in.
    if (said.kind === "taken" || said.kind === "dead") this.#pause(false);
    if (said.kind === "changed") void this.#show();
    else if (said.kind === "wake" && this.#drain) {
      this.#drain.wake();
      this.#say({ kind: "awake" });
    } else if (said.kind === "awake") this.#cancelQuestion();
    else if (said.kind === "paused") this.#pause(said.paused);
    else if (said.kind === "taken") this.#waiters.settle(said.receipt.id, said.receipt);
    else if (said.kind === "gone") this.#waiters.settle(said.id, null);
    else if (said.kind === "dead")
      void this.#hearDead(said.id).catch(this.#context.session.environment.report);
  }

  async #hearDead(id: string): Promise<void> {
    const row = this.#waiters.has(id) ? await this.#find(id) : undefined;
    if (row) this.#waiters.settle(id, errorOf(row));
  }

  #pause(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    void this.#show();
  }

  #changed(): void {
    this.#say({ kind: "changed" });
    void this.#show();
  }

  async #find(id: string): Promise<Row | undefined> {
    return (await this.#context.store.all()).find((row) => row.id === id);
  }

  /** Shows what is kept; many changes at once are read once. */
  async #show(): Promise<void> {
    this.#again = this.#reading;
    if (this.#reading) return;
    this.#reading = true;
    const { store, cell, session } = this.#context;
    try {
      do {
        this.#again = false;
        const entries = Object.freeze((await store.all()).map(entryOf));
        cell.set(Object.freeze({ persistent: store.persistent, entries, paused: this.#paused }));
      } while (this.#again);
    } catch (error) {
      session.environment.report(error);
    } finally {
      this.#reading = false;
    }
  }
}

function entryOf(row: Row): OutboxEntry {
  const { id, topic, state, createdAt, attempts } = row;
  return Object.freeze({ id, topic, state, createdAt, attempts, error: errorOf(row) });
}

function errorOf({ id, error }: Row): RealtimeError | null {
  return error && new RealtimeError(error.message, { kind: error.kind, reason: error.reason, id });
}
