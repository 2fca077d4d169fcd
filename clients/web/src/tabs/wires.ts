import type { ToldStep } from "../connection/told-step.js";
import type { ServerFrame } from "../gen/shipspeak/realtime/v1/frame_pb.js";
import type { SetPresenceInit } from "../presence/book.js";
import type { Commands } from "../session/commands.js";
import type { Wire } from "../session/wire.js";
import type { SubscribeInit } from "../topics/registry.js";
import type { Sized } from "../transport/transport.js";
import type { Follower } from "./follower.js";
import { initOf, type Said, saidOf } from "./messages.js";
import type { Voices } from "./voices.js";

/** What a wire of the leader's needs of its tabs. */
export interface LeaderEar {
  /** A frame of the hub, before this tab itself has taken it. */
  heard(frame: ServerFrame): void;
  /** What the hub is to hear when this tab says something of itself. */
  merged(said: Said): Said;
  /** The sessions that speak for all tabs. */
  readonly voices: Voices;
}

/** The wire of a tab that leads: the others hear what it hears, and it speaks for all. */
export class HeardWire implements Wire {
  readonly #base: Wire;
  readonly #ear: LeaderEar;
  #silence: () => void = () => {};

  constructor(base: Wire, ear: LeaderEar) {
    this.#base = base;
    this.#ear = ear;
  }

  async *frames(
    subscriptions: readonly SubscribeInit[],
    step: ToldStep | null,
  ): AsyncGenerator<Sized<ServerFrame>> {
    try {
      for await (const sized of this.#base.frames(subscriptions, step)) {
        this.#ear.heard(sized.message);
        yield sized;
      }
    } finally {
      this.#silence();
    }
  }

  commands(sessionId: string): Commands {
    const base = this.#base.commands(sessionId);
    const merged = (presence: SetPresenceInit) => initOf(this.#ear.merged(saidOf(presence)));
    this.#silence = this.#ear.voices.add(base);
    return {
      touch: (handledBytes) => base.touch(handledBytes),
      update: (revision, subscriptions) => base.update(revision, subscriptions),
      refresh: (token) => base.refresh(token),
      present: (presence, refused) => base.present(merged(presence), refused),
      leave: (presence) => base.leave(merged(presence)),
    };
  }
}

/** The wire of a tab that follows: the relay of the one that leads. */
export class RelayWire implements Wire {
  readonly #follower: Follower;
  readonly #signal: AbortSignal;

  constructor(follower: Follower, signal: AbortSignal) {
    this.#follower = follower;
    this.#signal = signal;
  }

  frames(): AsyncIterable<Sized<ServerFrame>> {
    return this.#follower.frames(this.#signal);
  }

  commands(): Commands {
    const say = (presence: SetPresenceInit) => this.#follower.say(saidOf(presence));
    return {
      // The leader gives the signs of life, and measures the way to the hub.
      touch: () => new Promise(() => {}),
      update: async () => this.#follower.changed(),
      refresh: async () => {},
      present: async (presence) => say(presence),
      leave: say,
    };
  }
}
