import type { BrowserCommandContext } from "vitest/node";
import { type HubOptions, HubProcess } from "../support/hub-process.js";
import { FaultProxy, type ProxyRules, type Strike } from "./fault-proxy.js";
import type { EngineContext } from "./provider.js";
import { mintToken } from "./token.js";

/** A hub that a test in a browser has started. */
export interface StartedHub {
  readonly id: number;
  /** Address of the browsers' door. */
  readonly http: string;
}

const hubs = new Map<number, HubProcess>();
const proxies = new Map<number, FaultProxy>();
let last = 0;

type Context = BrowserCommandContext & EngineContext;

/**
 * What tests in a browser can ask of Node, by `commands` of `vitest/browser`. A hub is best asked for by `realHub` of
 * `test/support/real-hub.ts`, which also ends it.
 */
export const COMMANDS = {
  /** Starts a hub that lets pages of `origin` call it. */
  async startHub(_: unknown, origin: string, options: HubOptions = {}): Promise<StartedHub> {
    const hub = new HubProcess({ ...options, origins: [origin, ...(options.origins ?? [])] });
    await hub.start();
    last += 1;
    hubs.set(last, hub);
    return { id: last, http: hub.http };
  },
  async killHub(_: unknown, id: number): Promise<void> {
    await hubs.get(id)?.kill();
  },
  async restartHub(_: unknown, id: number): Promise<void> {
    await hubs.get(id)?.restart();
  },
  async stopHub(_: unknown, id: number): Promise<void> {
    await hubs.get(id)?.stop();
    hubs.delete(id);
  },
  /** Starts it again without what it had stored. */
  async emptyHub(_: unknown, id: number): Promise<void> {
    await hubs.get(id)?.empty();
  },
  /** The hub's figures, which no page of another origin may read. */
  async hubFigures(_: unknown, id: number): Promise<string> {
    const answer = await fetch(`${hubs.get(id)?.http}/metrics`);
    return answer.text();
  },
  /** Starts a proxy with faults before a hub. */
  async startProxy(_: unknown, hub: string): Promise<StartedHub> {
    const proxy = new FaultProxy(hub);
    const http = await proxy.start();
    last += 1;
    proxies.set(last, proxy);
    return { id: last, http };
  },
  async setProxy(_: unknown, id: number, rules: ProxyRules): Promise<void> {
    proxies.get(id)?.set(rules);
  },
  async strikeProxy(_: unknown, id: number, kind: Strike): Promise<number> {
    return proxies.get(id)?.strike(kind) ?? 0;
  },
  async stopProxy(_: unknown, id: number): Promise<void> {
    await proxies.get(id)?.stop();
    proxies.delete(id);
  },
  /** A token for all topics, signed with a hub's secret. */
  async mintToken(_: unknown, ...asked: Parameters<typeof mintToken>): Promise<string> {
    return mintToken(...asked);
  },
  async pressKey({ enginePage }: Context, key: string): Promise<void> {
    await enginePage.press(key);
  },
  async emulateMedia({ enginePage }: Context, features: Record<string, string>): Promise<void> {
    await enginePage.emulate(features);
  },
};

type InBrowser<F> = F extends (context: never, ...rest: infer R) => infer A ? (...rest: R) => A : never;

declare module "vitest/browser" {
  // Vitest takes this type from a provider's package, and ours is none.
  export const commands: { readonly [K in keyof typeof COMMANDS]: InBrowser<(typeof COMMANDS)[K]> };
}
