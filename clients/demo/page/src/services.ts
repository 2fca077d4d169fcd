import { createRealtimeClient, type RealtimeClient } from "@shipspeak/realtime";
import { createContext, useContext } from "react";
import { Backend } from "./backend.js";
import type { DemoConfig } from "./config.js";

/** Everything that the parts of the page share. */
export interface Services {
  readonly config: DemoConfig;
  readonly backend: Backend;
  readonly client: RealtimeClient;
}

export function createServices(config: DemoConfig): Services {
  const backend = new Backend(config.backend);
  const client = createRealtimeClient({
    baseUrl: config.hub,
    getToken: () => backend.token("guest"),
    // In dev mode people block streaming and want to see it come back while they watch.
    timing: config.dev ? { probeMinMs: 3000, probeMaxMs: 6000, probeSettleMs: 1500 } : {},
  });
  return { config, backend, client };
}

const ServicesContext = createContext<Services | null>(null);
export const ServicesProvider = ServicesContext;

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (!services) throw new Error("The page's services are missing.");
  return services;
}
