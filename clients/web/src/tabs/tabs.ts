import type { ServerFrame } from "../gen/shipspeak/realtime/v1/frame_pb.js";
import { Cell, type Store } from "../store.js";
import { durationMs } from "../time.js";
import { catchUp } from "./calls.js";
import type { TabsClient, TabsContext } from "./context.js";
import { Follower } from "./follower.js";
import type { PageNews } from "./host.js";
import { Leader } from "./leader.js";
import { Leadership } from "./leadership.js";
import { isOfLeader, type LeaderState, type Said, type TabMessage, termAfter } from "./messages.js";
import { Room } from "./room.js";
import { leaderState, NOT_YET, type TabRole, type TabsSnapshot, untilDecided } from "./snapshot.js";
import { Voices } from "./voices.js";
import { Watch } from "./watch.js";

const UNWANTED: ReadonlySet<string> = new Set(["idle", "closed", "needs-auth", "failed"]);
const WAITING: ReadonlySet<string> = new Set(["backoff", "offline"]);

/** One tab among those of its scope: at most one of them leads, and has the connection. */
export class Tabs {
  readonly #context: TabsContext;
  readonly #cell: Cell<TabsSnapshot>;
  readonly #leadership: Leadership;
  readonly #follower: Follower;
  readonly #watch: Watch;
  readonly #client: TabsClient;
  readonly #room: Room;
  readonly #stops: (() => void)[] = [];
  readonly voices = new Voices(() => this.#leader?.repeat(this.#context.id));
  #leader: Leader | null = null;
  #deposed = new AbortController();
  #leaderId = "";
  #posted = "";
  #wanted = false;
  #beatMs = 20_000;
  #away = false;
  #cancelGrace: () => void = () => {};

  constructor(context: TabsContext, client: TabsClient) {
    const { environment, host, name } = context;
    this.#context = context;
    this.#client = client;
    this.#room = new Room(context);
    this.#cell = new Cell(NOT_YET, environment.report);
    this.#leadership = new Leadership(host.locks, `${name}:leader`, {
      gained: () => this.#gained(),
      lost: () => this.#lost(),
      unusable: () => this.#becomeSolo(),
    });
    this.#watch = new Watch(
      environment,
      host,
      () => this.#room.say({ kind: "hello" }),
      () => this.#leadership.steal(),
    );
    this.#follower = new Follower({
      environment,
      registry: client.session.registry,
      post: (body) => this.#room.say(body),
      catchUp: (subscriptions, signal) => catchUp(client.session, context.transport, subscriptions, signal),
      onLeaderState: (state) => this.#follow(state),
    });
  }

  get store(): Store<TabsSnapshot> {
    return this.#cell;
  }

  get role(): TabRole {
    return this.#cell.getSnapshot().role;
  }

  get follower(): Follower {
    return this.#follower;
  }

  /** Aborted when this tab stops to lead. */
  get deposed(): AbortSignal {
    return this.#deposed.signal;
  }

  /** A connection is wanted: from now on this tab is told what concerns all, whether it shares one or not yet. */
  connect(): void {
    if (this.role !== "solo") this.#open();
  }

  /** Finds out what this tab is; resolves with anything but `electing`, which is left only for an aborted signal. */
  async enter(signal: AbortSignal): Promise<TabRole> {
    if (this.role !== "solo" && !this.#leadership.held) this.#begin();
    await untilDecided(this.#cell, signal);
    return this.role;
  }

  /** Everything that the leader gets from the hub passes here first. */
  heard(frame: ServerFrame): void {
    if (frame.control.case === "welcome") {
      this.#beatMs = durationMs(frame.control.value.heartbeatInterval) ?? this.#beatMs;
    }
    this.#leader?.relay(frame);
  }

  /** An answer to a poll is a sign of life of a leader that has no stream. */
  beat(): void {
    if (this.#leader && this.#leader.peers > 0) this.#tell("state");
  }

  /** What the hub is to be told when this tab, which leads, says something of itself. */
  merged(said: Said): Said {
    return this.#leader?.put(this.#context.id, said) ?? said;
  }

  signOut(): void {
    if (this.role !== "solo") this.#open();
    this.#room.signOut();
  }

  /** Leaves the other tabs for good. */
  close(): void {
    this.#leave();
    for (const stop of this.#stops.splice(0)) stop();
    this.#room.leave();
  }

  #begin(): void {
    this.#open();
    if (this.#away || this.role === "follower" || this.role === "solo") return;
    this.#wanted = true;
    this.#follower.begin();
    this.#leadership.ask();
    if (!this.#leadership.held) this.#watch.question();
  }

  #open(): void {
    try {
      if (!this.#room.enter((message) => this.#receive(message))) return;
    } catch {
      this.#becomeSolo();
      return;
    }
    this.#stops.push(this.#context.host.onPage((news) => this.#page(news)));
    this.#stops.push(this.#client.connection.subscribe(() => this.#connectionMoved()));
  }

  #receive(message: TabMessage): void {
    if (message.kind === "sign-out") this.#client.signedOut();
    else if (isOfLeader(message)) this.#hearLeader(message);
    else if (this.#leader) this.#serve(message);
    else if (message.kind === "bye" && message.from === this.#leaderId && this.#wanted) this.#leaderGone();
  }

  #hearLeader(message: TabMessage): void {
    if (this.#leader || !this.#wanted || this.role === "solo") return;
    if (message.term < this.#room.term) return; // of one that was replaced
    const isNew = message.term > this.#room.term;
    if (isNew && message.kind !== "lead" && message.kind !== "state") return;
    this.#room.term = message.term;
    this.#leaderId = message.from;
    if (message.kind === "cede") {
      if (message.to === this.#context.id) this.#leadership.steal();
      return;
    }
    this.#watch.heard(message.kind === "lead" || message.kind === "state" ? message.state.beatMs : undefined);
    // Who meets a leader in the middle of its term asks it for everything, as if the term had just begun.
    this.#follower.hear(isNew && message.kind === "state" ? { ...message, kind: "lead" } : message);
  }

  #serve(message: TabMessage): void {
    if (message.kind === "hello") this.#tell("state");
    else if (message.kind === "take") {
      const { hidden, polling } = this.#state();
      if (hidden && polling) this.#room.say({ kind: "cede", to: message.from });
    } else this.#leader?.hear(message);
  }

  #gained(): void {
    const { environment } = this.#context;
    this.#watch.stop();
    this.#cancelGrace();
    this.#room.term = termAfter(this.#room.term, environment.now(), environment.random());
    this.#deposed = new AbortController();
    this.#leader = new Leader({
      registry: this.#client.session.registry,
      presence: (topic) => this.#client.presence(topic),
      post: (body) => this.#room.say(body),
      say: (said) => this.voices.say(said),
      watch: (tab, gone) => this.#room.watch(tab, gone),
      onPeers: () => this.#leads(),
    });
    this.#follower.end();
    this.#client.relayed(null);
    this.#tell("lead");
    this.#show("leader", 1);
  }

  #leads(): void {
    if (!this.#leader) return;
    this.#show("leader", this.#leader.peers + 1);
    if (JSON.stringify(this.#state()) !== this.#posted) this.#tell("state");
  }

  #tell(kind: "lead" | "state"): void {
    const state = this.#state();
    this.#posted = JSON.stringify(state);
    this.#room.say({ kind, state });
  }

  #lost(): void {
    this.#endTerm();
    this.#show("electing", 1);
    this.#begin();
  }

  #endTerm(): void {
    this.#leader?.end();
    this.#leader = null;
    this.#deposed.abort();
  }

  #leaderGone(): void {
    this.#watch.stop();
    this.#follower.forget();
    this.#show("electing", 1);
    this.#begin();
  }

  /** Browsers that refuse locks or channels here leave every tab to itself. */
  #becomeSolo(): void {
    this.#watch.stop();
    this.#follower.end();
    this.#show("solo", 1);
  }

  #follow(state: LeaderState): void {
    const { environment, host } = this.#context;
    this.#show("follower", state.peers + 1);
    this.#client.relayed(state.transport ?? null);
    this.#cancelGrace();
    if (!state.live) this.#cancelGrace = environment.schedule(() => this.#follower.giveUp(), host.graceMs);
    else if (WAITING.has(this.#client.connection.getSnapshot().phase)) this.#client.retryNow();
    this.#takeOver(state);
  }

  #takeOver({ hidden, polling }: LeaderState): void {
    if (hidden && polling && !this.#context.host.hidden()) this.#room.say({ kind: "take" });
  }

  #connectionMoved(): void {
    const { phase } = this.#client.connection.getSnapshot();
    if (UNWANTED.has(phase)) this.#leave();
    else if (this.#leader) {
      this.#leader.setLive(phase === "live");
      this.#leads();
    }
  }

  #page(news: PageNews): void {
    if (news === "left") {
      this.#away = true;
      this.#leave();
      this.#room.mute();
    } else if (news === "returned") {
      this.#away = false;
      if (this.#room.unmute()) this.#client.signedOut();
      if (!UNWANTED.has(this.#client.connection.getSnapshot().phase)) this.#begin();
    } else {
      if (this.#leader) this.#leads();
      else if (news === "visible") {
        this.#watch.check();
        if (this.#follower.leader) this.#takeOver(this.#follower.leader);
      }
    }
  }

  /** Gives up the lead or the place in line: no connection is wanted here, or the page is put away. */
  #leave(): void {
    if (this.role === "solo" || !this.#wanted) return;
    this.#wanted = false;
    this.#watch.stop();
    this.#cancelGrace();
    this.#room.say({ kind: "bye" });
    this.#leadership.resign();
    this.#endTerm();
    this.#follower.end(); // what is said meanwhile is not heard
    this.#show("electing", 1);
  }

  #state(): LeaderState {
    const more = {
      beatMs: this.#beatMs,
      hidden: this.#context.host.hidden(),
      peers: this.#leader?.peers ?? 0,
    };
    return leaderState(this.#client.connection.getSnapshot(), more);
  }

  #show(role: TabRole, tabs: number): void {
    const now = this.#cell.getSnapshot();
    if (now.role !== role || now.tabs !== tabs) this.#cell.set(Object.freeze({ role, tabs }));
  }
}
