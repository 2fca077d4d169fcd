import type { Rung } from "../connection/ladder.js";
import { toRealtimeError } from "../errors.js";
import type { SessionContext } from "./context.js";
import { paceMs, pauseMs } from "./pace.js";
import { type PollNews, ping, pollOnce } from "./poll.js";
import type { Session, SessionEvents } from "./session.js";

/** Pause after a waiting Poll that came back early with nothing, so that no proxy or volatile topic makes a busy loop. */
const EMPTY_PAUSE_MS = 1000;
/** A wait that came to this part of its time was not cut. */
const WHOLE = 0.8;

/** A session made of unary polls: such that wait for news at the hub, or such that come at intervals. */
export class PollSession implements Session {
  readonly #context: SessionContext;
  readonly #rung: Rung;
  readonly #events: SessionEvents;
  readonly #stop = new AbortController();
  #call = new AbortController();
  #wake: () => void = () => {};
  #welcomed = false;
  #synced = false;
  /** The call that runs waits at the hub. */
  #waiting = false;
  #pace: number | null = null;
  #measure: (bytes: number, events: number) => void = () => {};

  constructor(context: SessionContext, rung: Rung, events: SessionEvents) {
    this.#context = context;
    this.#rung = rung;
    this.#events = events;
  }

  start(): void {
    this.#measure = this.#context.meter.begin(this.#rung);
    this.#events.connecting();
    void this.#loop();
  }

  close(): void {
    this.#stop.abort();
    this.#interrupt();
  }

  adopted(): void {
    // Nothing is told by polls.
  }

  subscriptionsChanged(): void {
    this.#interrupt();
  }

  tokenChanged(): void {
    // The next call carries it.
  }

  checkAlive(): void {
    // Every call has a limit of its own; after sleep the browser ends calls whose connection is gone. What comes
    // at intervals is asked for now: somebody looks again.
    if (this.#rung === "poll") this.#wake();
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
      this.#waiting = false;
      try {
        news = await this.#step(news);
      } catch (thrown) {
        const error = toRealtimeError(thrown);
        if (this.#stop.signal.aborted) return;
        if (error.kind !== "aborted") {
          this.close();
          this.#events.lost(error, this.#waiting);
          return;
        }
        news = null;
      }
    }
  }

  async #step(last: PollNews | null): Promise<PollNews | null> {
    const { registry, timing } = this.#context;
    if (registry.subscriptions().length === 0) {
      await ping(this.#context, this.#call.signal);
      this.#arrive(true);
      await this.#pause(timing.pollWaitMs);
      return null;
    }
    return this.#rung === "poll" ? this.#ask(last) : this.#wait(last);
  }

  async #wait(last: PollNews | null): Promise<PollNews> {
    const { timing, environment } = this.#context;
    const waitMs = last === null || last.more ? 0 : timing.pollWaitMs;
    this.#waiting = waitMs > 0;
    const began = environment.now();
    const news = await this.#poll(waitMs);
    const tookMs = environment.now() - began;
    if (this.#waiting && tookMs >= waitMs * WHOLE) this.#events.waited();
    this.#waiting = false;
    const empty = waitMs > 0 && !news.moved && !news.more && tookMs < waitMs / 2;
    const ms = Math.max(news.nextAfterMs ?? 0, empty ? EMPTY_PAUSE_MS : 0);
    if (ms > 0) await this.#pause(ms);
    return news;
  }

  async #ask(last: PollNews | null): Promise<PollNews> {
    const { environment } = this.#context;
    if (last && !last.more) {
      this.#pace = paceMs(this.#pace, last.moved, environment.hidden());
      const hintMs = last.nextAfterMs;
      const traffic = { hintMs, savesData: environment.savesData(), random: environment.random() };
      await this.#pause(pauseMs(this.#pace, traffic));
    }
    return this.#poll(0);
  }

  async #poll(waitMs: number): Promise<PollNews> {
    const news = await pollOnce(this.#context, waitMs, this.#call.signal, {
      measure: this.#measure,
      step: this.#welcomed ? null : this.#events.step(),
    });
    this.#arrive(!news.more);
    this.#events.heartbeat();
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
}
