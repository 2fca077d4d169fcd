import type { RealtimeError } from "../errors.js";
import { toRealtimeError } from "../errors.js";
import type { SessionContext } from "./context.js";
import { type PollNews, ping, pollOnce } from "./poll.js";
import type { Session, SessionEvents } from "./session.js";

/** Pause after a waiting Poll that came back early with nothing, so that no proxy or volatile topic makes a busy loop. */
const EMPTY_PAUSE_MS = 1000;

/** A session made of unary long polls. */
export class PollSession implements Session {
  readonly #context: SessionContext;
  readonly #events: SessionEvents;
  readonly #stop = new AbortController();
  #call = new AbortController();
  #wake: () => void = () => {};
  #welcomed = false;
  #synced = false;

  constructor(context: SessionContext, events: SessionEvents) {
    this.#context = context;
    this.#events = events;
  }

  start(): void {
    void this.#loop();
  }

  close(): void {
    this.#stop.abort();
    this.#interrupt();
  }

  subscriptionsChanged(): void {
    this.#interrupt();
  }

  tokenChanged(): void {
    // The next call carries it.
  }

  checkAlive(): void {
    // Every call has a limit of its own; after sleep the browser ends calls whose connection is gone.
  }

  /** Gives up the running call or pause: positions move with what was received only, so nothing is lost. */
  #interrupt(): void {
    this.#call.abort();
    this.#wake();
  }

  async #loop(): Promise<void> {
    let news: PollNews | null = null;
    while (!this.#stop.signal.aborted) {
      this.#call = new AbortController();
      try {
        news = await this.#step(news);
      } catch (thrown) {
        const error = toRealtimeError(thrown);
        if (this.#stop.signal.aborted) return;
        if (error.kind !== "aborted") return this.#lose(error);
        news = null;
      }
    }
  }

  async #step(last: PollNews | null): Promise<PollNews | null> {
    const { registry, timing, environment } = this.#context;
    if (registry.subscriptions().length === 0) {
      await ping(this.#context, this.#call.signal);
      this.#arrive(true);
      await this.#pause(timing.pollWaitMs);
      return null;
    }
    const waitMs = last === null || last.more ? 0 : timing.pollWaitMs;
    const began = environment.now();
    const news = await pollOnce(this.#context, waitMs, this.#call.signal);
    this.#arrive(!news.more);
    this.#events.heartbeat();
    const empty = waitMs > 0 && !news.moved && !news.more && environment.now() - began < waitMs / 2;
    const pauseMs = Math.max(news.nextAfterMs ?? 0, empty ? EMPTY_PAUSE_MS : 0);
    if (pauseMs > 0) await this.#pause(pauseMs);
    return news;
  }

  #arrive(complete: boolean): void {
    if (!this.#welcomed) {
      this.#welcomed = true;
      this.#events.welcome();
    }
    if (complete && !this.#synced) {
      this.#synced = true;
      this.#events.caughtUp();
    }
  }

  /** Until `ms` have passed, or something changes. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#context.environment.schedule(resolve, ms);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  #lose(error: RealtimeError): void {
    this.close();
    this.#events.lost(error);
  }
}
