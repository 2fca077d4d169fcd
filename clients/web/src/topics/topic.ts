import type { RealtimeError } from "../errors.js";
import type * as pb from "../gen/shipspeak/realtime/v1/event_pb.js";
import { type Subscribed, Verdict } from "../gen/shipspeak/realtime/v1/frame_pb.js";
import { Cell, type Store } from "../store.js";
import { Member } from "./members.js";
import { type Position, receiveRun } from "./position.js";
import { RecentIds } from "./recent-ids.js";
import {
  type Count,
  PENDING_TOPIC,
  type Start,
  type TopicListener,
  type TopicSnapshot,
  type VerdictNews,
} from "./types.js";

/**
 * What became of a run (`take`, `drop`, `ignore`) or an answer (a verdict). `resubscribe`: there is a hole; ask
 * again from the own position.
 */
export type TopicAction = "take" | "drop" | "ignore" | "resubscribe" | VerdictNews["verdict"];

/** One topic that this client reads: its position, shared by every transport, and its listeners. */
export class Topic {
  readonly name: string;
  readonly start: Start;
  readonly members = new Set<Member>();
  position: Position | null = null;
  readonly #cell: Cell<TopicSnapshot>;
  readonly #seen = new RecentIds();
  readonly #count: Count;
  readonly #report: (error: unknown) => void;
  #head: bigint | null = null;
  #begun = false;
  #events = 0;
  #leftOut = 0;

  constructor(
    name: string,
    start: Start,
    count: Count,
    report: (error: unknown) => void,
    from: Position | null = null,
  ) {
    this.name = name;
    this.start = start;
    this.position = from;
    this.#count = count;
    this.#report = report;
    this.#cell = new Cell(PENDING_TOPIC, report);
  }

  get state(): Store<TopicSnapshot> {
    return this.#cell;
  }

  get refused(): boolean {
    return this.#cell.getSnapshot().status === "refused";
  }

  /** Everything that was there at the last answer has been handed over. */
  get caughtUp(): boolean {
    if (this.position === null) return this.#cell.getSnapshot().status !== "pending";
    return this.#head !== null && this.position.offset >= this.#head;
  }

  /**
   * Adds a listener. One that wants history which has gone by already replays it first. One that comes to a refused
   * topic is told so as soon as its caller has gone on.
   */
  join(listener: TopicListener): Member {
    const { status, error } = this.#cell.getSnapshot();
    const wanted = listener.start ?? "latest";
    // The whole log serves who wants a snapshot too, but not the other way round.
    const served = !this.#begun && (this.start === "earliest" || this.start === wanted);
    const late = listener.from ? !this.#standsAt(listener.from) : wanted !== "latest" && !served;
    const member = new Member(listener, late && status !== "refused", this.#count, this.#report);
    this.members.add(member);
    if (error) queueMicrotask(() => this.members.has(member) && member.fail(error));
    return member;
  }

  /** Takes the hub's answer to the subscription, or a verdict that it gives unasked. */
  subscribed(answer: Subscribed): TopicAction {
    if (answer.verdict === Verdict.LIVE || answer.epoch === 0n || answer.position === undefined) {
      this.position = null;
      this.#publish("live");
      if (answer.verdict === Verdict.GAP) return this.#tellGap(lostOf(answer)); // the hub has run ahead of us
      return this.#tell({ verdict: "live", lost: null });
    }
    this.#head = answer.head;
    const { cursor, handledOffset } = answer.position;
    return this.#place({ epoch: answer.epoch, offset: handledOffset, cursor }, answer);
  }

  /** Takes a run. */
  receive(run: pb.TopicRun): TopicAction {
    for (const member of this.members) if (member.replaying) member.replay(run, "live");
    const outcome = receiveRun(this.position, run);
    switch (outcome.kind) {
      case "take":
        this.#count("duplicates", outcome.dropped);
        this.#passedOver(run.conflated + run.expired + run.withdrawn);
        this.position = outcome.position;
        this.#deliver(outcome.events);
        this.#moved(outcome.position);
        this.#publish("live");
        return "take";
      case "volatile":
        return this.#deliver(outcome.events.filter((event) => this.#fresh(event)));
      case "duplicate":
        this.#count("duplicates", run.events.length);
        return "drop";
      case "foreign":
        return "ignore";
      case "hole":
        return "resubscribe";
    }
  }

  /** The hub does not know the cursor any more: begin again as if it were another log. */
  forgetPosition(): void {
    this.position = null;
    this.#head = null;
    this.#begun = false;
    this.#count("resets", 1);
    this.#tell({ verdict: "reset", lost: null });
    this.#publish("pending");
  }

  refuse(error: RealtimeError): void {
    const offset = this.position?.offset ?? null;
    this.#cell.set(Object.freeze({ ...this.#cell.getSnapshot(), status: "refused", offset, error }));
    for (const member of this.members) member.fail(error);
  }

  #place(next: Position, answer: Subscribed): TopicAction {
    const lost = lostOf(answer);
    const known = this.position;
    if (known === null) return this.#adopt(next, { verdict: verdictOf(answer.verdict), lost });
    // Another epoch is a reset whatever the verdict's name: silence would hide a lost log.
    if (answer.verdict === Verdict.RESET || next.epoch !== known.epoch) {
      return this.#adopt(next, { verdict: "reset", lost });
    }
    if (next.offset > known.offset) {
      return answer.verdict === Verdict.GAP ? this.#adopt(next, { verdict: "gap", lost }) : "resubscribe";
    }
    this.#publish("live");
    if (answer.verdict === Verdict.GAP) return this.#tellGap(lost); // a purge is told at the head too
    return this.#tell({ verdict: "ok", lost: null }); // what overlaps is dropped run by run
  }

  #adopt(next: Position, news: VerdictNews): TopicAction {
    if (news.verdict === "gap") this.#count("gaps", 1);
    if (news.verdict === "reset") this.#count("resets", 1);
    this.position = next;
    this.#tell(news);
    if (news.verdict === "reset") this.#resetReplays(news);
    this.#moved(next);
    this.#publish("live");
    return news.verdict;
  }

  #resetReplays(news: VerdictNews): void {
    for (const member of this.members) {
      if (!member.replaying || member.position?.epoch === this.position?.epoch) continue;
      member.restart(news);
    }
  }

  #fresh(event: pb.Event): boolean {
    if (this.#seen.add(event.id)) return true;
    this.#count("duplicates", 1);
    return false;
  }

  #deliver(events: readonly pb.Event[]): TopicAction {
    if (events.length === 0) return "drop";
    this.#begun = true;
    this.#events += events.length;
    for (const member of [...this.members]) if (!member.replaying) member.deliver(events);
    return "take";
  }

  #passedOver(count: number): void {
    this.#leftOut += count;
    this.#count("leftOut", count);
  }

  #standsAt({ epoch, offset }: Position): boolean {
    return this.position?.epoch === epoch && this.position.offset === offset;
  }

  #moved(position: Position): void {
    for (const member of [...this.members]) if (!member.replaying) member.moved(position);
  }

  #tellGap(lost: number | null): TopicAction {
    this.#count("gaps", 1);
    return this.#tell({ verdict: "gap", lost });
  }

  #tell(news: VerdictNews): TopicAction {
    for (const member of [...this.members]) if (!member.replaying) member.tell(news);
    return news.verdict;
  }

  #publish(status: "pending" | "live"): void {
    const offset = this.position?.offset ?? null;
    const now = this.#cell.getSnapshot();
    if (now.status !== status || now.offset !== offset) {
      const figures = { events: this.#events, leftOut: this.#leftOut };
      this.#cell.set(Object.freeze({ status, offset, error: null, ...figures }));
    }
  }
}

function lostOf(answer: Subscribed): number | null {
  return answer.lost === undefined ? null : Number(answer.lost);
}

function verdictOf(verdict: Verdict): VerdictNews["verdict"] {
  if (verdict === Verdict.GAP) return "gap";
  return verdict === Verdict.RESET ? "reset" : "ok";
}
