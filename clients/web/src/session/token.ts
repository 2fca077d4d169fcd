import type { Environment } from "../environment.js";
import { RealtimeError } from "../errors.js";

/** Why a token is asked for: the first one, one to replace an ending one, one to replace a refused one. */
export type TokenReason = "initial" | "expiring" | "rejected";

/** The application's way to get a JWT; null = nobody is signed in. */
export type GetToken = (request: {
  readonly reason: TokenReason;
  readonly signal: AbortSignal;
}) => Promise<string | null> | string | null;

/** A token with less time left than this is replaced before it is used. */
const MARGIN_MS = 30_000;
/** A running session gets a new token at this part of the old one's life, at most so much earlier by chance. */
const RENEW_AT = 0.8;
const EARLY_MS = 30_000;
const EARLY = 0.1;

/** Holds the present token and gets new ones, one at a time. Tokens are kept in memory only. */
export class TokenSource {
  #token: string | null = null;
  #renewAt: number | null = null;
  #running: Promise<string | null> | null = null;
  /** Counts the users: what was asked for one is not for the next. */
  #user = 0;
  readonly #getToken: GetToken | undefined;
  readonly #environment: Environment;
  readonly #limitMs: number;

  constructor(getToken: GetToken | undefined, environment: Environment, limitMs: number) {
    this.#getToken = getToken;
    this.#environment = environment;
    this.#limitMs = limitMs;
  }

  /** The present token; empty when there is none. */
  get current(): string {
    return this.#token ?? "";
  }

  /** When a running session should get a new token, in milliseconds since 1970; null = when the hub says so. */
  get renewAt(): number | null {
    return this.#renewAt;
  }

  /** The user has signed out. A request that is under way fails as `aborted`, whatever it brings. */
  forget(): void {
    this.#user += 1;
    this.#running = null;
    this.#token = null;
    this.#renewAt = null;
  }

  /** A token that is fit for use, or null when nobody is signed in. Fails with RealtimeError `network`. */
  async get(because: "initial" | "rejected"): Promise<string | null> {
    if (!this.#getToken) return "";
    if (because === "initial" && this.#token !== null) {
      if (!this.#endsSoon(this.#token)) return this.#token;
      return this.renew("expiring");
    }
    return this.renew(because);
  }

  /** A new token. Calls at the same time share one request. */
  renew(reason: TokenReason): Promise<string | null> {
    if (this.#running) return this.#running;
    const running = this.#ask(reason).finally(() => {
      if (this.#running === running) this.#running = null;
    });
    this.#running = running;
    return running;
  }

  async #ask(reason: TokenReason): Promise<string | null> {
    const user = this.#user;
    const limit = new AbortController();
    const cancel = this.#environment.schedule(() => limit.abort(), this.#limitMs);
    try {
      const late = new Promise<never>((_, reject) => {
        limit.signal.addEventListener("abort", () => reject(new Error("no token in time")));
      });
      const token = await Promise.race([this.#getToken?.({ reason, signal: limit.signal }) ?? null, late]);
      if (user !== this.#user) throw new RealtimeError("The user has signed out.", { kind: "aborted" });
      // Given the same token again, it would be asked for without end: the hub says when it is time.
      this.#renewAt = token === null || token === this.#token ? null : this.#planned(token);
      this.#token = token;
      return token;
    } catch (cause) {
      if (cause instanceof RealtimeError && cause.kind === "aborted") throw cause;
      throw new RealtimeError("The token could not be had.", { kind: "network", cause });
    } finally {
      cancel();
    }
  }

  #planned(token: string): number | null {
    const now = this.#environment.now();
    const { expMs, iatMs } = timesOf(token);
    if (expMs === null) return null;
    // Where the two clocks differ by more than the token's life, its life counts from now.
    const begun = iatMs !== null && iatMs <= now && now < expMs ? iatMs : now;
    const lifeMs = expMs - (iatMs ?? now);
    if (lifeMs <= 0) return null;
    const earlyMs = Math.min(EARLY_MS, lifeMs * EARLY) * this.#environment.random();
    return begun + lifeMs * RENEW_AT - earlyMs;
  }

  #endsSoon(token: string): boolean {
    const end = timesOf(token).expMs;
    return end !== null && end - this.#environment.now() < MARGIN_MS;
  }
}

/** `exp` and `iat` of a JWT in milliseconds since 1970; null where they cannot be read (the hub decides then). */
export function timesOf(token: string): { readonly expMs: number | null; readonly iatMs: number | null } {
  try {
    const payload = token.split(".")[1] ?? "";
    const claims: unknown = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    const { exp, iat } = (claims ?? {}) as { exp?: unknown; iat?: unknown };
    return { expMs: seconds(exp), iatMs: seconds(iat) };
  } catch {
    return { expMs: null, iatMs: null };
  }
}

function seconds(value: unknown): number | null {
  return typeof value === "number" ? value * 1000 : null;
}
