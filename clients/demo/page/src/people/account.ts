import { createRealtimeClient, type RealtimeClient, type Store } from "@shipspeak/realtime";
import type { Backend, Person } from "../backend.js";
import type { DemoConfig } from "../config.js";
import type { Faults } from "../connection/faults.js";
import { faultyEnvironment, faultyTransport } from "../connection/faulty-network.js";

const KEY = "shipspeak.person";
const DEVICE_KEY = "shipspeak.device";

/** Who is signed in, with the connection of that person. */
export interface SignedIn {
  readonly person: Person;
  readonly client: RealtimeClient;
}

/**
 * Who uses this browser. It is kept in the browser's storage, so that a reload and every other tab know it; a sign-out
 * in one tab is one in all.
 */
export class Account implements Store<SignedIn | null> {
  readonly #config: DemoConfig;
  readonly #backend: Backend;
  readonly #faults: Faults;
  readonly #listeners = new Set<() => void>();
  #now: SignedIn | null = null;

  constructor(config: DemoConfig, backend: Backend, faults: Faults) {
    this.#config = config;
    this.#backend = backend;
    this.#faults = faults;
    window.addEventListener("storage", ({ key }) => {
      if (key === KEY || key === null) this.#become(kept());
    });
    this.#become(kept());
  }

  readonly getSnapshot = (): SignedIn | null => this.#now;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  signIn(person: Person): void {
    localStorage.setItem(KEY, JSON.stringify(person));
    this.#become(person);
  }

  /** In every tab: the connection ends, and what was kept here for this person is forgotten. */
  async signOut(): Promise<void> {
    await this.#now?.client.signOut();
  }

  #become(person: Person | null): void {
    if (person?.id === this.#now?.person.id) return;
    this.#now?.client.close();
    this.#backend.signedIn(person?.id ?? null);
    this.#now = person && Object.freeze({ person, client: this.#clientOf(person) });
    for (const listener of [...this.#listeners]) listener();
    // Without an answer nothing is lost: progress is told again at the next sign-in.
    if (person) this.#backend.arrive().catch(() => {});
  }

  #clientOf(person: Person): RealtimeClient {
    const { hub, dev } = this.#config;
    return createRealtimeClient({
      baseUrl: hub,
      identity: person.id,
      deviceId: deviceId(),
      getToken: () => this.#backend.token(),
      onSignOut: () => {
        if (kept()?.id === person.id) localStorage.removeItem(KEY);
        if (this.#now?.person.id === person.id) this.#become(null);
      },
      // In dev mode people disturb the network and want to see it come back while they watch.
      ...(dev && {
        timing: { probeMinMs: 3000, probeMaxMs: 6000, probeSettleMs: 1500 },
        transport: faultyTransport(this.#faults, hub),
        environment: faultyEnvironment(this.#faults),
      }),
    });
  }
}

function kept(): Person | null {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "null") as Person | null;
  } catch {
    return null; // written by something else
  }
}

function deviceId(): string {
  const known = localStorage.getItem(DEVICE_KEY);
  if (known) return known;
  const made = crypto.randomUUID();
  localStorage.setItem(DEVICE_KEY, made);
  return made;
}
