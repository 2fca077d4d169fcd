import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import type { RealtimeClient } from "../client.js";

const ClientContext = createContext<RealtimeClient | null>(null);

/** Mounts come and go in a moment under StrictMode and Activity; the connection does not follow each of them. */
const LINGER_MS = 1000;

const users = new WeakMap<RealtimeClient, number>();

export interface RealtimeProviderProps {
  /** A client, or what makes one: that is called once, and making a client does no I/O. */
  readonly client: RealtimeClient | (() => RealtimeClient);
  readonly children?: ReactNode;
}

/** Gives the client to everything inside, and keeps it connected while any provider of it is mounted. */
export function RealtimeProvider({ client: given, children }: RealtimeProviderProps) {
  const [made] = useState(() => (typeof given === "function" ? given() : null));
  const client = typeof given === "function" ? made : given;
  useEffect(() => {
    if (!client) return;
    users.set(client, (users.get(client) ?? 0) + 1);
    client.connect();
    return () => {
      users.set(client, (users.get(client) ?? 1) - 1);
      setTimeout(() => {
        if (users.get(client) === 0) client.disconnect();
      }, LINGER_MS);
    };
  }, [client]);
  return <ClientContext value={client}>{children}</ClientContext>;
}

/** The client of the nearest RealtimeProvider; throws without one. */
export function useRealtime(): RealtimeClient {
  const client = useContext(ClientContext);
  if (!client) throw new Error("This component needs a <RealtimeProvider client={...}> around it.");
  return client;
}
