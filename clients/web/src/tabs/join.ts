import type { Transport } from "../transport/transport.js";
import { uuidv7 } from "../uuid.js";
import type { TabsClient } from "./context.js";
import { browserTabsHost, type TabsHost } from "./host.js";
import { scopeName } from "./scope.js";
import { Tabs } from "./tabs.js";

/** Where a client meets its like, and what is kept for it. */
export interface Place {
  readonly name: string;
  /** Null where the browser has no locks or channels: then the tab is alone, and keeps drafts in memory only. */
  readonly host: TabsHost | null;
}

interface Options {
  readonly baseUrl: string;
  readonly identity?: string;
  readonly namespace?: string;
  readonly tabs?: "auto" | "solo";
  readonly tabsHost?: TabsHost | null;
}

/** Null without an identity: what belongs to nobody is shared with nobody. */
export function placeOf(options: Options): Place | null {
  const { baseUrl, identity, namespace = "", tabsHost = browserTabsHost() } = options;
  return identity === undefined
    ? null
    : { name: scopeName({ baseUrl, namespace, identity }), host: tabsHost };
}

/** A tab among others; null when it stays alone. */
export function joinTabs(
  { tabs = "auto" }: Options,
  transport: Transport,
  place: Place | null,
  client: TabsClient,
): Tabs | null {
  if (!place?.host || tabs === "solo") return null;
  const { environment } = client.session;
  const { name, host } = place;
  return new Tabs({ id: uuidv7(environment.now()), name, host, environment, transport }, client);
}
