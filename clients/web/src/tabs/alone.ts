import type { Environment } from "../environment.js";
import type { ServerFrame } from "../gen/shipspeak/realtime/v1/frame_pb.js";
import { paceMs, pauseMs } from "../session/pace.js";
import type { TopicRegistry } from "../topics/registry.js";
import { refused } from "./frames.js";

/**
 * Topics that the leader may not read, while this tab may: its token is another one. Nothing is relayed of them, so the
 * hub is asked at intervals.
 */
export class Alone {
  readonly #registry: TopicRegistry;
  readonly #environment: Environment;
  readonly #refusedThere = new Set<string>();
  #pace: number | null = null;
  #dueAt: number | null = null;

  constructor({ registry, environment }: { registry: TopicRegistry; environment: Environment }) {
    this.#registry = registry;
    this.#environment = environment;
  }

  /** How the leader stands to a topic. */
  hear(topic: string, isRefused: boolean): void {
    if (isRefused) this.#refusedThere.add(topic);
    else this.#refusedThere.delete(topic);
  }

  /** Another leader: nothing is known of it. */
  clear(): void {
    this.#refusedThere.clear();
  }

  /** Calls `due` with the topics to ask for when it is time; the result cancels that. */
  look(due: (topics: readonly string[]) => void): () => void {
    if (this.#topics().length === 0) return () => {};
    const { now, schedule } = this.#environment;
    this.#dueAt ??= now() + this.#pauseMs(false);
    return schedule(() => due(this.#topics()), Math.max(0, this.#dueAt - now()));
  }

  /** The hub was asked for some topics; the result is for those of which no asking brings anything. */
  asked(topics: readonly string[], moved: boolean): ServerFrame[] {
    const mine = this.#topics().filter((topic) => topics.includes(topic));
    if (mine.length > 0) this.#dueAt = this.#environment.now() + this.#pauseMs(moved);
    return mine.filter((topic) => this.#isVolatile(topic)).map(refused);
  }

  #isVolatile(name: string): boolean {
    const topic = this.#registry.get(name);
    return topic?.position === null && topic.state.getSnapshot().status === "live";
  }

  #topics(): string[] {
    return [...this.#refusedThere].filter((name) => this.#registry.get(name)?.refused === false);
  }

  #pauseMs(moved: boolean): number {
    this.#pace = paceMs(this.#pace, moved, this.#environment.hidden());
    return pauseMs(this.#pace, {
      hintMs: null,
      savesData: this.#environment.savesData(),
      random: this.#environment.random(),
    });
  }
}
