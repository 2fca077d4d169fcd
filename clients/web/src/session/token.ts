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

/** Holds the present token and gets new ones, one at a time. Tokens are kept in memory only. */
export class TokenSource {
  #token: string | null = null;
  #running: Promise<string | null> | null = null;
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
    this.#running ??= this.#ask(reason).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #ask(reason: TokenReason): Promise<string | null> {
    const limit = new AbortController();
    const cancel = this.#environment.schedule(() => limit.abort(), this.#limitMs);
    try {
      const late = new Promise<never>((_, reject) => {
        limit.signal.addEventListener("abort", () => reject(new Error("no token in time")));
      });
      this.#token = await Promise.race([this.#getToken?.({ reason, signal: limit.signal }) ?? null, late]);
      return this.#token;
    } catch (cause) {
      throw new RealtimeError("The token could not be had.", { kind: "network", cause });
    } finally {
      cancel();
    }
  }

  #endsSoon(token: string): boolean {
    const end = expiryMs(token);
    return end !== null && end - this.#environment.now() < MARGIN_MS;
  }
}

/** `exp` of a JWT in milliseconds since 1970; null when it cannot be read (the hub decides then). */
export function expiryMs(token: string): number | null {
  try {
    const payload = token.split(".")[1] ?? "";
    const claims: unknown = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    const exp = (claims as { exp?: unknown } | null)?.exp;
    return typeof exp === "number" ? exp * 1000 : null;
  } catch {
    return null;
  }
}
