import { onTestFinished } from "vitest";
import { commands } from "vitest/browser";
import type { ProxyRules, Strike } from "../engines/fault-proxy.js";

/** A proxy between a page and a real hub that does what networks do. */
export interface RealProxy {
  /** Give it to `createRealtimeClient` as `baseUrl`. */
  readonly baseUrl: string;
  /** What becomes of what is new from now on. */
  set(rules: ProxyRules): Promise<void>;
  /** Strikes the streams and WebSockets that are open; the result is how many there were. */
  strike(kind: Strike): Promise<number>;
}

/** Starts one before the hub at this address; it ends when the test is over. */
export async function realProxy(hub: string): Promise<RealProxy> {
  const { id, http } = await commands.startProxy(hub);
  onTestFinished(() => commands.stopProxy(id), 60_000);
  return {
    baseUrl: http,
    set: (rules) => commands.setProxy(id, rules),
    strike: (kind) => commands.strikeProxy(id, kind),
  };
}
