import type { Rung } from "../connection/ladder.js";
import type { ConnectionSnapshot } from "../connection/snapshot.js";
import type { Environment } from "../environment.js";
import type { PresenceSnapshot } from "../presence/state.js";
import type { SessionContext } from "../session/context.js";
import type { Store } from "../store.js";
import type { Transport } from "../transport/transport.js";
import type { TabsHost } from "./host.js";

export interface TabsContext {
  /** Id of this tab. */
  readonly id: string;
  /** Of the scope: names its locks and its channel. */
  readonly name: string;
  readonly host: TabsHost;
  readonly environment: Environment;
  /** The way to the hub. */
  readonly transport: Transport;
}

/** What a client is to its tabs. */
export interface TabsClient {
  readonly session: SessionContext;
  readonly connection: Store<ConnectionSnapshot>;
  presence(topic: string): Store<PresenceSnapshot>;
  retryNow(): void;
  /** How news come to the tab that leads, while this one follows; null = it does not, or they do not come. */
  relayed(transport: Rung | null): void;
  /** The user has signed out in another tab. */
  signedOut(): void;
}
