import type { MessageInitShape } from "@bufbuild/protobuf";
import { backoffDelay } from "../connection/backoff.js";
import type { Environment } from "../environment.js";
import { errorFromStatus, type RealtimeError } from "../errors.js";
import { Code } from "../gen/google/rpc/code_pb.js";
import { ErrorReason } from "../gen/shipspeak/realtime/v1/error_reason_pb.js";
import type * as events from "../gen/shipspeak/realtime/v1/event_pb.js";
import { type ServerFrame, Start, type SubscribeSchema } from "../gen/shipspeak/realtime/v1/frame_pb.js";
import type { PresenceBook } from "../presence/book.js";
import { durationMs } from "../time.js";
import type { Member } from "./members.js";
import { resumeFrom } from "./position.js";
import { Topic } from "./topic.js";
import type { Count, TopicListener } from "./types.js";

/** A topic outlives its last listener this long, so that a component which mounts again changes nothing. */
const LINGER_MS = 1000;

/** The contract's bounds of a name. The hub refuses a whole request for one that is outside, with all its topics. */
const MIN_NAME = 3;
const MAX_NAME = 200;

const STARTS = { earliest: Start.EARLIEST, latest: Start.LATEST, snapshot: Start.SNAPSHOT } as const;

export type SubscribeInit = MessageInitShape<typeof SubscribeSchema> & { readonly topic: string };

export interface RegistryHooks {
  /** The set of subscriptions is another one now. */
  readonly onChange: () => void;
  /** A listener wants history that has gone by. */
  readonly onReplay: (topic: Topic, member: Member) => void;
}

/** All topics of a client. Every transport feeds its frames in here, so each topic has one position. */
export class TopicRegistry {
  readonly #topics = new Map<string, Topic>();
  readonly #askingAgain = new Set<string>();
  readonly #environment: Environment;
  readonly #count: Count;
  readonly #presence: PresenceBook;
  readonly #hooks: RegistryHooks;

  constructor(environment: Environment, count: Count, presence: PresenceBook, hooks: RegistryHooks) {
    this.#environment = environment;
    this.#presence = presence;
    this.#count = count;
    this.#hooks = hooks;
  }

  /** Adds a listener; the result takes it away. */
  subscribe(name: string, listener: TopicListener): () => void {
    const topic = this.#topics.get(name) ?? this.#open(name, listener);
    const member = topic.join(listener);
    if (member.replaying) this.#hooks.onReplay(topic, member);
    return () => {
      if (topic.members.delete(member) && topic.members.size === 0) this.#linger(topic);
    };
  }

  /** The presence of a topic that is read is wanted from now on, or no more. */
  presenceChanged(): void {
    this.#hooks.onChange();
  }

  get(name: string): Topic | undefined {
    return this.#topics.get(name);
  }

  /**
   * What to ask of the hub now: one entry for each topic, from its position where it has one. Topics for which the hub
   * has named a time to come back are left out until then.
   */
  subscriptions(asked = { presence: true }): SubscribeInit[] {
    const asksNow = (topic: Topic) => !topic.refused && !this.#askingAgain.has(topic.name);
    const topics = [...this.#topics.values()].filter(asksNow);
    return topics.map((topic) => {
      const init = subscribeInit(topic);
      return asked.presence && this.#presence.wants(topic.name) ? { ...init, presence: true } : init;
    });
  }

  get caughtUp(): boolean {
    return [...this.#topics.values()].every((topic) => topic.refused || topic.caughtUp);
  }

  /** Takes one frame of any transport; false = a topic must be subscribed again from its position. */
  receive(frame: ServerFrame): boolean {
    let hole = false;
    const { control } = frame;
    if (control.case === "subscribed") {
      hole = this.#topics.get(control.value.topic)?.subscribed(control.value) === "resubscribe";
    } else if (control.case === "error") {
      this.#refused(control.value.topic, control.value);
    } else if (control.case === "unsubscribed" && control.value.error) {
      this.#refused(control.value.topic, control.value.error);
    }
    if (control.case === "presence") this.#presence.take(control.value);
    for (const run of frame.runs) {
      if (this.#topics.get(run.topic)?.receive(run) === "resubscribe") hole = true;
    }
    return !hole;
  }

  #open(name: string, listener: TopicListener): Topic {
    const { start = "latest", from } = listener;
    const topic = new Topic(name, start, this.#count, this.#environment.report, from);
    this.#topics.set(name, topic);
    if (name.length < MIN_NAME || name.length > MAX_NAME) topic.refuse(noTopic(name));
    else this.#hooks.onChange();
    return topic;
  }

  #linger(topic: Topic): void {
    this.#environment.schedule(() => {
      if (topic.members.size > 0 || this.#topics.get(topic.name) !== topic) return;
      this.#topics.delete(topic.name);
      this.#hooks.onChange();
    }, LINGER_MS);
  }

  /** Once for a topic: every Poll that is answered meanwhile brings the refusal again. */
  #askAgain(name: string, hintMs: number): void {
    if (this.#askingAgain.has(name)) return;
    this.#askingAgain.add(name);
    const delayMs = backoffDelay({ kind: "hint", hintMs }, this.#environment.random());
    this.#environment.schedule(() => {
      this.#askingAgain.delete(name);
      this.#hooks.onChange();
    }, delayMs);
  }

  #refused(name: string, error: events.Error): void {
    const topic = this.#topics.get(name);
    if (!topic) return;
    if (isAboutPresence(error) && this.#presence.wants(name)) {
      // Reading goes on without it.
      this.#presence.refuse(name, fromFrame(error));
      this.#hooks.onChange();
      return;
    }
    const retryAfterMs = durationMs(error.retryAfter);
    if (error.reason === ErrorReason.CURSOR_INVALID && topic.position !== null) {
      topic.forgetPosition();
      this.#hooks.onChange();
    } else if (retryAfterMs !== null) {
      this.#askAgain(name, retryAfterMs);
    } else if (error.reason !== ErrorReason.ALREADY_SUBSCRIBED) {
      topic.refuse(fromFrame(error));
    }
  }
}

function isAboutPresence({ reason, metadata }: events.Error): boolean {
  const aboutRight = reason === ErrorReason.RIGHT_MISSING && metadata["right"] === "presence";
  return aboutRight || reason === ErrorReason.PRESENCE_NOT_ALLOWED;
}

/** A refusal on a stream as an error of this package. */
export function fromFrame(error: events.Error): RealtimeError {
  return errorFromStatus(error.code, error.message, {
    reason: error.reason,
    retryAfterMs: durationMs(error.retryAfter),
    metadata: error.metadata,
  });
}

function noTopic(name: string): RealtimeError {
  const message = `${JSON.stringify(name.slice(0, 40))} is no topic: write kind/id, at most ${MAX_NAME} characters.`;
  return errorFromStatus(Code.INVALID_ARGUMENT, message, { reason: ErrorReason.TOPIC_INVALID });
}

function subscribeInit(topic: Topic): SubscribeInit {
  const { name, position, start } = topic;
  if (position === null || position.cursor.length === 0) {
    return { topic: name, start: { case: "at", value: STARTS[start] } };
  }
  return { topic: name, start: { case: "position", value: resumeFrom(position) } };
}
