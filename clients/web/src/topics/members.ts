import type { RealtimeError } from "../errors.js";
import type * as pb from "../gen/shipspeak/realtime/v1/event_pb.js";
import { type Position, type RunView, receiveRun } from "./position.js";
import type { Count, TopicListener, VerdictNews } from "./types.js";

/** One listener of a topic. While it replays history it has a position of its own. */
export class Member {
  /** Where its replay stands; meaningless otherwise. */
  position: Position | null = null;
  replaying: boolean;
  /** How often its replay was told to begin again: a page that was asked for before is of another log. */
  restarts = 0;
  /** Its history is a snapshot: of each key, the latest event alone. */
  readonly latestPerKey: boolean;
  readonly #listener: TopicListener;
  readonly #count: Count;
  readonly #report: (error: unknown) => void;
  #ended = false;

  constructor(listener: TopicListener, replaying: boolean, count: Count, report: (error: unknown) => void) {
    this.#listener = listener;
    this.latestPerKey = listener.start === "snapshot";
    this.replaying = replaying;
    this.position = listener.from ?? null;
    this.#count = count;
    this.#report = report;
  }

  /**
   * Applies the receiver's rule to a member that replays. Its position begins with the first run of history; `trimmed`
   * is history of which the hub has said GAP, so a run that begins further on moves the position there.
   */
  replay(run: RunView, source: "history" | "trimmed" | "live"): void {
    if (this.#ended) return;
    const begin = { epoch: run.epoch, offset: run.afterOffset, cursor: new Uint8Array(0) };
    if (source !== "live") this.position ??= begin;
    if (source === "trimmed" && this.position !== null && run.afterOffset > this.position.offset) {
      this.position = begin;
    }
    const outcome = receiveRun(this.position, run);
    if (outcome.kind !== "take") return;
    this.position = outcome.position;
    this.deliver(outcome.events);
    this.moved(outcome.position);
  }

  /** History is incomplete (`gap`) or of another log (`reset`). */
  interrupted(verdict: "gap" | "reset"): void {
    this.#count(verdict === "gap" ? "gaps" : "resets", 1);
    this.tell({ verdict, lost: null });
  }

  /** The topic's log is another one: its history is read from the beginning, and what was is void. */
  restart(news: VerdictNews): void {
    this.position = null;
    this.restarts += 1;
    this.tell(news);
  }

  deliver(events: readonly pb.Event[]): void {
    const { onEvent } = this.#listener;
    if (!onEvent) return; // one that only keeps the topic open, or watches where it stands
    for (const event of events) {
      this.#count("events", 1);
      this.#guard(() => this.#listener.onEvent?.(event));
    }
  }

  /** Everything up to there has been handed over. */
  moved(position: Position): void {
    if (!this.#ended) this.#guard(() => this.#listener.onPosition?.(position));
  }

  tell(news: VerdictNews): void {
    if (this.#ended) return;
    this.#guard(() => this.#listener.onVerdict?.(news));
  }

  /** A member that replays has come to its end with this. */
  fail(error: RealtimeError): void {
    this.#ended = this.replaying;
    this.#guard(() => this.#listener.onError?.(error));
  }

  /** The application's exceptions are its own; they must not stop delivery to others. */
  #guard(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#report(error);
    }
  }
}
