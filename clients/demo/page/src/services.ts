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
    timing: config.probeMs === undefined ? {} : { probeMinMs: config.probeMs },
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
