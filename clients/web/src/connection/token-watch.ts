import type { Environment } from "../environment.js";
import type { TokenSource } from "../session/token.js";

/** After a failed refresh, the next one comes after this time, at the least half of it. */
const AGAIN_MS = 10_000;

/**
 * Replaces the running session's token before it ends. Asked at each sign of life and by a timer, since timers of
 * hidden pages are throttled and wall clocks jump.
 */
export class TokenWatch {
  readonly #tokens: TokenSource;
  readonly #environment: Environment;
  readonly #onRenewed: (token: string | null) => void;
  #running = false;
  #notBefore = 0;
  #active = false;
  #cancel: () => void = () => {};

  constructor(tokens: TokenSource, environment: Environment, onRenewed: (token: string | null) => void) {
    this.#tokens = tokens;
    this.#environment = environment;
    this.#onRenewed = onRenewed;
  }

  /** A session runs from now on. */
  start(): void {
    this.#active = true;
    this.look();
  }

  stop(): void {
    this.#active = false;
    this.#cancel();
  }

  /** Renews the token if it is time, and plans the next look. */
  look(): void {
    this.#cancel();
    const { renewAt } = this.#tokens;
    if (!this.#active || renewAt === null) return;
    const leftMs = Math.max(renewAt, this.#notBefore) - this.#environment.now();
    if (leftMs <= 0) void this.renew();
    else this.#cancel = this.#environment.schedule(() => this.look(), leftMs);
  }

  /** Renews it now: the hub has said that it ends soon. */
  async renew(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      const token = await this.#tokens.renew("expiring");
      if (this.#active) this.#onRenewed(token);
    } catch (thrown) {
      // The session goes on until the hub ends it; then the reconnect asks for a token again.
      this.#notBefore = this.#environment.now() + AGAIN_MS * (0.5 + this.#environment.random() / 2);
      this.#environment.report(thrown);
    } finally {
      this.#running = false;
    }
    this.look();
  }
}
