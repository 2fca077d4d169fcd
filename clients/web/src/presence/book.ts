import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RealtimeError } from "../errors.js";
import type { PresenceFrame, SetPresenceSchema } from "../gen/shipspeak/realtime/v1/frame_pb.js";
import { Cell, type Store } from "../store.js";
import { applyPresence, NOBODY, type PresenceSnapshot, type PresenceState, toWire } from "./state.js";

export type SetPresenceInit = MessageInitShape<typeof SetPresenceSchema> & { readonly topic: string };

interface Watch {
  readonly cell: Cell<PresenceSnapshot>;
  readers: number;
}

/** What a client says of itself, and which presence it watches; over all its sessions. */
export class PresenceBook {
  readonly #wishes = new Map<string, SetPresenceInit>();
  readonly #watches = new Map<string, Watch>();
  readonly #report: (error: unknown) => void;
  #owner: object | null = null;
  /** Called with what is to be told now. */
  onWish: (wish: SetPresenceInit) => void = () => {};
  /** Called when the client disconnects: what was said is taken back, and said again by the next stream. */
  onLeave: () => void = () => {};

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  /** Keeps what is to be said; null = leave. */
  say(topic: string, state: PresenceState | null, metadata: Readonly<Record<string, string>> = {}): void {
    const wish = { topic, state: toWire(state ?? "offline"), metadata: { ...metadata } };
    if (state === null) this.#wishes.delete(topic);
    else this.#wishes.set(topic, wish);
    this.onWish(wish);
  }

  get wishes(): readonly SetPresenceInit[] {
    return [...this.#wishes.values()];
  }

  /** The hub does not allow it. */
  forget(topic: string): void {
    this.#wishes.delete(topic);
  }

  /** Whether the hub is to be asked for a topic's presence. */
  wants(topic: string): boolean {
    const watch = this.#watches.get(topic);
    return watch !== undefined && watch.readers > 0 && watch.cell.getSnapshot().status !== "refused";
  }

  store(topic: string): Store<PresenceSnapshot> {
    return this.#watch(topic).cell;
  }

  /** Counts a reader in; the result counts it out. */
  read(topic: string): () => void {
    const watch = this.#watch(topic);
    watch.readers += 1;
    return () => {
      watch.readers -= 1;
      if (watch.readers === 0 && this.#watches.get(topic) === watch) this.#watches.delete(topic);
    };
  }

  take(frame: PresenceFrame): void {
    const cell = this.#watches.get(frame.topic)?.cell;
    if (!cell) return;
    // Changes come behind the full state; others are of a stream that is gone.
    if (frame.full || cell.getSnapshot().status === "live")
      cell.set(applyPresence(cell.getSnapshot(), frame));
  }

  refuse(topic: string, error: RealtimeError): void {
    this.#watches.get(topic)?.cell.set(Object.freeze({ ...NOBODY, status: "refused", error }));
  }

  /** From now on this session brings the presence, and no earlier one. */
  belongsTo(session: object): void {
    this.#owner = session;
  }

  /** A session is gone. If it was the one: what is held was so, and is told as that. */
  lost(session: object): void {
    if (this.#owner !== session) return;
    this.#owner = null;
    for (const { cell } of this.#watches.values()) {
      const now = cell.getSnapshot();
      if (now.status === "live") cell.set(Object.freeze({ ...now, status: "stale" }));
    }
  }

  #watch(topic: string): Watch {
    const known = this.#watches.get(topic);
    if (known) return known;
    const watch = { cell: new Cell(NOBODY, this.#report), readers: 0 };
    this.#watches.set(topic, watch);
    return watch;
  }
}
