import { Acknowledger, type EventName } from "./acknowledge.js";
import { Board } from "./connection/board.js";
import { Connection } from "./connection/connection.js";
import { LADDER, type Rung } from "./connection/ladder.js";
import { RungMemory } from "./connection/memory.js";
import type { ConnectionSnapshot } from "./connection/snapshot.js";
import { DEFAULT_TIMING } from "./connection/timing.js";
import { browserEnvironment } from "./environment.js";
import { Verb } from "./gen/shipspeak/realtime/v1/frame_pb.js";
import type { RealtimeClientOptions } from "./options.js";
import { OutboxHandle } from "./outbox/handle.js";
import type { Outbox } from "./outbox/types.js";
import { Claims } from "./persist/claims.js";
import { databaseOf } from "./persist/open.js";
import { signedOut } from "./persist/signed-out.js";
import { PresenceBook } from "./presence/book.js";
import type { PresenceSnapshot, PresenceState } from "./presence/state.js";
import { type ContentInit, Publisher, type PublishOptions } from "./publish.js";
import type { Receipt } from "./repeat.js";
import type { SessionContext } from "./session/context.js";
import { HubClock } from "./session/hub-clock.js";
import { type OpenSession, sessionOn } from "./session/open.js";
import { Replays } from "./session/replays.js";
import { TokenSource } from "./session/token.js";
import type { Store } from "./store.js";
import { joinTabs, placeOf } from "./tabs/join.js";
import { TabSession } from "./tabs/session.js";
import { SOLO, type TabsSnapshot } from "./tabs/snapshot.js";
import type { Tabs } from "./tabs/tabs.js";
import { TabTransport } from "./tabs/transport.js";
import { TopicRegistry } from "./topics/registry.js";
import type { TopicListener, TopicSnapshot } from "./topics/types.js";
import { GrpcWebTransport } from "./transport/grpc-web.js";
import type { Transport } from "./transport/transport.js";
import { uuidv7 } from "./uuid.js";

export type { RealtimeClientOptions };

/** A handle on one topic; cheap, holds nothing until something subscribes. */
export interface TopicHandle {
  readonly name: string;
  /** Adds a listener; the result takes it away. The first one starts the subscription, the last one ends it. */
  subscribe(listener: TopicListener): () => void;
}

export interface RealtimeClient {
  readonly connection: Store<ConnectionSnapshot>;
  /** Starts, and keeps trying until `disconnect` or `close`. */
  connect(): void;
  /** Stops; subscriptions and their positions stay. */
  disconnect(): void;
  /** Stops for good: drafts that have no answer yet fail, and no more are taken. */
  close(): void;
  /**
   * Signs the user out in every tab of this identity: connections end, tokens and what is kept here are forgotten,
   * and `onSignOut` is called in each. A client that nobody told of a new user must not `connect` again.
   */
  signOut(): Promise<void>;
  /**
   * Drafts that are kept before they are sent and sent until the hub has them: published offline, through a reload, by
   * whichever tab is there. Each is stored once.
   */
  readonly outbox: Outbox;
  /**
   * True in one of all tabs, once: for what should be shown once, such as a toast, by its key. A hidden tab leaves a
   * visible one the first word. Remembered for a day.
   */
  claim(key: string): Promise<boolean>;
  /** Names what is kept in this browser for this client; null = nothing is, since it has no identity. */
  readonly scope: string | null;
  /** How this tab shares its connection with others. */
  readonly tabs: Store<TabsSnapshot>;
  /** Ends a wait between two attempts; also leaves `needs-auth` and `failed`. */
  retryNow(): void;
  /** The time at the hub, in milliseconds since 1970; this machine's own until a hub has told its. */
  serverNow(): number;
  topic(name: string): TopicHandle;
  /** State of a topic that is subscribed now; undefined when it is not. */
  topicState(name: string): Store<TopicSnapshot> | undefined;
  /**
   * Who is in a topic, while something is subscribed to the store. It shares the stream with readers of the topic; while
   * the client polls, it is `stale`.
   */
  presence(topic: string): Store<PresenceSnapshot>;
  /** What others see of this client in a topic, now and after every reconnect; null leaves at once. */
  setPresence(topic: string, state: PresenceState | null, metadata?: Readonly<Record<string, string>>): void;
  /**
   * Publishes one event; those of one topic are stored in the order of the calls. Fails with RealtimeError; after
   * kind `unknown` publish again with `{ id: error.id }`, and it is stored once.
   */
  publish(topic: string, content: ContentInit, options?: PublishOptions): Promise<Receipt>;
  /**
   * Says that the user has seen events of the user's own topic, `user/<id>`, or notifications for many, such as those of
   * `system/all`: of these it counts for this user alone. All devices get it as an event of the user's own topic with a
   * `receipt`: match it by its `topic` (empty = that topic) and `offset`. Give events rather than ids: several publishers
   * may use one id, which then means all of theirs. Resolves with, for each, whether this device was first to say it: of
   * an event with `untilAcknowledged` one device alone is, and it is withdrawn from all; a repeat knows its own word by
   * the client's `deviceId`. Fails with RealtimeError; to say it again changes nothing.
   */
  markRead(topic: string, ...events: readonly EventName[]): Promise<readonly boolean[]>;
  /** Says that the user has put events away; otherwise as `markRead`. */
  dismiss(topic: string, ...events: readonly EventName[]): Promise<readonly boolean[]>;
  /**
   * Takes back events that this client's user has published, on any topic with a log: their content is removed, and who
   * had them gets a `receipt` that says WITHDRAWN. Fails with RealtimeError: EVENT_UNKNOWN for what is another's.
   */
  withdraw(topic: string, ...events: readonly EventName[]): Promise<void>;
}

const ALONE: Store<TabsSnapshot> = { getSnapshot: () => SOLO, subscribe: () => () => {} };

/** A client of one hub. Does no I/O before `connect` or `publish`. */
export function createRealtimeClient(options: RealtimeClientOptions): RealtimeClient {
  return new Client(options);
}

/** The rungs that can be used here; never none. */
function ladderOf(wanted: readonly Rung[], transport: Transport): readonly Rung[] {
  const usable = wanted.filter((rung) => rung !== "websocket" || transport.openSocket !== undefined);
  return usable.length > 0 ? usable : ["stream"];
}

class Client implements RealtimeClient {
  readonly #context: SessionContext;
  readonly #connection: Connection;
  readonly #publisher: Publisher;
  readonly #acknowledger: Acknowledger;
  readonly #replays: Replays;
  readonly #board: Board;
  readonly #tabs: Tabs | null;
  readonly #onSignOut: () => void;
  readonly #claims: Claims;
  readonly outbox: OutboxHandle;
  readonly scope: string | null;

  constructor(options: RealtimeClientOptions) {
    const environment = options.environment ?? browserEnvironment();
    const timing = { ...DEFAULT_TIMING, ...options.timing };
    this.#board = new Board(environment, timing.lostAfterMs);
    const { count } = this.#board;
    const presence = new PresenceBook(environment.report);
    const registry = new TopicRegistry(environment, count, presence, {
      onChange: () => this.#connection.subscriptionsChanged(),
      onReplay: (topic, member) => this.#replays.add(topic, member),
    });
    const transport = options.transport ?? new GrpcWebTransport({ baseUrl: options.baseUrl });
    const shared = new TabTransport(transport);
    this.#context = {
      transport: shared,
      environment,
      timing,
      registry,
      presence,
      tokens: new TokenSource(options.getToken, environment, timing.tokenMs),
      clientId: options.clientId ?? uuidv7(environment.now()),
      deviceId: options.deviceId ?? "",
      count,
      meter: this.#board.meter,
      clock: new HubClock(environment.now),
      onRoundTrip: this.#board.roundTrip,
    };
    const place = placeOf(options);
    this.scope = place?.name ?? null;
    this.#tabs = joinTabs(options, transport, place, {
      session: this.#context,
      connection: this.connection,
      presence: (topic) => this.presence(topic),
      retryNow: () => this.retryNow(),
      relayed: (rung) => this.#board.relayed(rung),
      signedOut: () => void this.#signedOut().catch(environment.report),
    });
    shared.tabs = this.#tabs;
    const memory = new RungMemory(environment, options.baseUrl);
    const ladder = ladderOf(options.ladder ?? LADDER, shared);
    const open: OpenSession = (rung, events) =>
      this.#tabs
        ? new TabSession(this.#context, this.#tabs, rung, events)
        : sessionOn(rung, this.#context, events);
    this.#connection = new Connection(this.#context, this.#board, memory, { ladder, open });
    this.#replays = new Replays(this.#context);
    this.#publisher = new Publisher(this.#context);
    this.#acknowledger = new Acknowledger(this.#context);
    this.#onSignOut = options.onSignOut ?? (() => {});
    this.#claims = new Claims(environment, () => databaseOf(this.scope));
    this.outbox = new OutboxHandle(this.#context, place, this.connection);
  }

  get tabs(): Store<TabsSnapshot> {
    return this.#tabs?.store ?? ALONE;
  }

  signOut(): Promise<void> {
    this.#tabs?.signOut();
    return this.#signedOut();
  }

  async #signedOut(): Promise<void> {
    signedOut.add(this);
    this.disconnect();
    this.#context.tokens.forget();
    try {
      const kept = await databaseOf(this.scope);
      await Promise.all([this.outbox.clear(), kept?.clear("states"), kept?.clear("claims")]);
    } finally {
      this.#onSignOut();
    }
  }

  get connection(): Store<ConnectionSnapshot> {
    return this.#board.store;
  }

  connect(): void {
    this.#connection.connect();
    this.outbox.connect();
    if (this.connection.getSnapshot().phase === "closed") return;
    signedOut.delete(this);
    this.#tabs?.connect();
    this.#replays.start();
  }

  disconnect(): void {
    this.#replays.stop();
    this.#context.presence.onLeave();
    this.#connection.disconnect();
  }

  close(): void {
    this.#replays.stop();
    this.#publisher.close();
    this.#acknowledger.close();
    this.#context.presence.onLeave();
    this.#connection.close();
    this.outbox.close();
    this.#tabs?.close();
  }

  retryNow(): void {
    this.#connection.retryNow();
  }

  serverNow(): number {
    return this.#context.clock.now();
  }

  topic(name: string): TopicHandle {
    return { name, subscribe: (listener) => this.#context.registry.subscribe(name, listener) };
  }

  topicState(name: string): Store<TopicSnapshot> | undefined {
    return this.#context.registry.get(name)?.state;
  }

  presence(topic: string): Store<PresenceSnapshot> {
    const { presence, registry } = this.#context;
    return {
      getSnapshot: () => presence.store(topic).getSnapshot(),
      subscribe: (changed) => {
        const done = presence.read(topic);
        const leave = registry.subscribe(topic, {
          onError: (error) => presence.refuse(topic, error),
        });
        const stop = presence.store(topic).subscribe(changed);
        registry.presenceChanged();
        return () => {
          stop();
          leave();
          done();
          registry.presenceChanged();
        };
      },
    };
  }

  setPresence(topic: string, state: PresenceState | null, metadata?: Readonly<Record<string, string>>): void {
    this.#context.presence.say(topic, state, metadata);
  }

  claim(key: string): Promise<boolean> {
    return this.#claims.claim(key);
  }

  publish(topic: string, content: ContentInit, options?: PublishOptions): Promise<Receipt> {
    return this.#publisher.publish(topic, content, options);
  }

  markRead(topic: string, ...events: readonly EventName[]): Promise<readonly boolean[]> {
    return this.#acknowledger.say(Verb.READ, topic, events);
  }

  dismiss(topic: string, ...events: readonly EventName[]): Promise<readonly boolean[]> {
    return this.#acknowledger.say(Verb.DISMISS, topic, events);
  }

  async withdraw(topic: string, ...events: readonly EventName[]): Promise<void> {
    await this.#acknowledger.say(Verb.WITHDRAW, topic, events);
  }
}
