import type { Rung } from "./connection/ladder.js";
import type { Timing } from "./connection/timing.js";
import type { Environment } from "./environment.js";
import type { GetToken } from "./session/token.js";
import type { TabsHost } from "./tabs/host.js";
import type { Transport } from "./transport/transport.js";

export interface RealtimeClientOptions {
  /** Where the hub is, such as `https://live.example.com`; empty = the page's own origin. */
  readonly baseUrl: string;
  /** Gets a JWT; absent = calls go without one (a hub in dev mode). */
  readonly getToken?: GetToken;
  /** Stable for this running client; a new UUID by default. */
  readonly clientId?: string;
  /** Stable for this device; empty by default. */
  readonly deviceId?: string;
  /** Instead of grpc-web over fetch, with a WebSocket beside it. */
  readonly transport?: Transport;
  /** The ways to the hub that may be used, best first; all of LADDER by default. */
  readonly ladder?: readonly Rung[];
  /**
   * Who is signed in, such as the token's subject. Tabs of one origin with the same hub, namespace and identity share
   * one connection, and what is kept in the browser is kept for it. Absent = this client shares and keeps nothing.
   */
  readonly identity?: string;
  /** Tells applications of one origin apart; empty by default. */
  readonly namespace?: string;
  /** `solo`: a connection of its own, also with an identity. Default `auto`. */
  readonly tabs?: "auto" | "solo";
  /** The user has signed out, in this tab or in another one. */
  readonly onSignOut?: () => void;
  /** Instead of the browser's locks and channels; null = there are none. */
  readonly tabsHost?: TabsHost | null;
  readonly timing?: Partial<Timing>;
  readonly environment?: Environment;
}
