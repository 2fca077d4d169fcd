import type { RealtimeClient } from "../client.js";
import type { RealtimeError } from "../errors.js";
import type { Event } from "../gen/shipspeak/realtime/v1/event_pb.js";
import type { Store } from "../store.js";
import type { Start, VerdictNews } from "../topics/types.js";
import { onNextFrame } from "./frames.js";

/** How a value is made out of a topic; each returns the same value where nothing changes. */
export interface Making<T> {
  readonly initial: T;
  /** What came since the last frame, in order; never none. Once in a frame, as it may be much. */
  readonly events: (value: T, events: readonly Event[]) => T;
  readonly verdict?: (value: T, verdict: VerdictNews["verdict"]) => T;
  readonly error?: (value: T, error: RealtimeError) => T;
  /** The value that a topic read from its start again begins with; `initial` by default. */
  readonly again?: (value: T) => T;
}

/**
 * A value made out of a topic's events, which is told at most once in a frame however many come. It reads the topic
 * while something is subscribed to it; opened again it begins anew.
 */
export class FramedStore<T> implements Store<T> {
  readonly #client: RealtimeClient;
  readonly #topic: string;
  readonly #start: Start;
  readonly #making: Making<T>;
  readonly #listeners = new Set<() => void>();
  #shown: T;
  #value: T;
  #news: Event[] = [];
  #isPlanned = false;
  #leave: (() => void) | null = null;

  constructor(client: RealtimeClient, topic: string, start: Start, making: Making<T>) {
    this.#client = client;
    this.#topic = topic;
    this.#start = start;
    this.#making = making;
    this.#value = this.#shown = making.initial;
  }

  readonly getSnapshot = (): T => this.#shown;

  readonly subscribe = (listener: () => void): (() => void) => {
    const own = () => listener();
    this.#listeners.add(own);
    this.#leave ??= this.#read();
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size > 0) return;
      this.#leave?.();
      this.#leave = null;
    };
  };

  #read(): () => void {
    const { initial, verdict: judge, error: fail, again } = this.#making;
    // From the latest on, what was known stays true; a topic that is read from its start again brings all again.
    let begins = this.#start !== "latest";
    return this.#client.topic(this.#topic).subscribe({
      start: this.#start,
      onEvent: (event) => {
        if (begins) {
          this.#news = [];
          this.#value = again ? again(this.#value) : initial;
        }
        begins = false;
        this.#news.push(event);
        this.#plan();
      },
      onVerdict: ({ verdict }) => {
        this.#fold();
        if (verdict === "reset") this.#value = initial;
        if (judge) this.#value = judge(this.#value, verdict);
        this.#plan();
      },
      onError: (error) => {
        this.#fold();
        if (fail) this.#value = fail(this.#value, error);
        this.#plan();
      },
    });
  }

  #fold(): void {
    if (this.#news.length === 0) return;
    const news = this.#news;
    this.#news = [];
    this.#value = this.#making.events(this.#value, news);
  }

  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    onNextFrame(this.#show);
  }

  readonly #show = (): void => {
    this.#isPlanned = false;
    this.#fold();
    if (Object.is(this.#shown, this.#value)) return;
    this.#shown = this.#value;
    for (const listener of [...this.#listeners]) listener();
  };
}
