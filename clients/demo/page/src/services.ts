import { createContext, useContext, useSyncExternalStore } from "react";
import { Backend, type Person } from "./backend.js";
import type { DemoConfig } from "./config.js";
import { Faults } from "./connection/faults.js";
import { faultyFetch } from "./connection/faulty-network.js";
import { Account, type SignedIn } from "./people/account.js";
import { People } from "./people/people.js";

/** Everything that the parts of the page share. */
export interface Services {
  readonly config: DemoConfig;
  readonly backend: Backend;
  readonly faults: Faults;
  readonly people: People;
  readonly account: Account;
}

export function createServices(config: DemoConfig): Services {
  const faults = new Faults();
  const backend = new Backend(
    config.backend,
    config.dev ? faultyFetch(faults) : globalThis.fetch.bind(globalThis),
  );
  return {
    config,
    backend,
    faults,
    people: new People(backend),
    account: new Account(config, backend, faults),
  };
}

const ServicesContext = createContext<Services | null>(null);
export const ServicesProvider = ServicesContext;

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (!services) throw new Error("The page's services are missing.");
  return services;
}

export function useSignedIn(): SignedIn | null {
  const { account } = useServices();
  return useSyncExternalStore(account.subscribe, account.getSnapshot);
}

const MeContext = createContext<Person | null>(null);
export const MeProvider = MeContext;

/** Who is signed in; inside the product, where somebody always is. */
export function useMe(): Person {
  const me = useContext(MeContext);
  if (!me) throw new Error("Nobody is signed in.");
  return me;
}

export function usePeople(): readonly Person[] {
  const { people } = useServices();
  return useSyncExternalStore(people.subscribe, people.getSnapshot);
}

/** Gives a person's name by id; the id itself of somebody who is not known. */
export function useNameOf(): (user: string) => string {
  const people = usePeople();
  return (user) => people.find(({ id }) => id === user)?.name ?? user;
}
