import type { Rung } from "../connection/ladder.js";
import type { SetPresenceInit } from "../presence/book.js";

/** Version of what tabs say to each other. Tabs of another version of the page are not understood, and lead alone. */
export const TABS_VERSION = 1;

/** How the leader's connection stands. */
export interface LeaderState {
  /** Everything published is being relayed. */
  readonly live: boolean;
  /** News come by polls, whose timers are throttled in a hidden tab. */
  readonly polling: boolean;
  /** How news come to it; null while they do not. Older pages do not say. */
  readonly transport?: Rung | null;
  readonly hidden: boolean;
  /** A sign of life is relayed about this often, in milliseconds. */
  readonly beatMs: number;
  /** Tabs that the leader serves. */
  readonly peers: number;
}

/** Where the leader stands in a topic. */
export interface Ready {
  readonly topic: string;
  /** `log`: see the place; `volatile`: it has no places; `refused`: ask the hub why. */
  readonly status: "log" | "volatile" | "refused";
  readonly epoch: bigint;
  readonly offset: bigint;
  readonly cursor: Uint8Array;
}

/** A topic that a tab reads. */
export interface Want {
  readonly topic: string;
  readonly presence: boolean;
  /** Where the tab stands; absent = nowhere yet. */
  readonly from?: { readonly epoch: bigint; readonly offset: bigint; readonly cursor: Uint8Array };
}

/** What others see of a tab in a topic; `state` as in the contract. */
export interface Said {
  readonly topic: string;
  readonly state: number;
  readonly metadata: Readonly<Record<string, string>>;
}

export function saidOf({ topic, state = 0, metadata = {} }: SetPresenceInit): Said {
  return { topic, state, metadata: { ...metadata } };
}

export function initOf({ topic, state, metadata }: Said): SetPresenceInit {
  return { topic, state, metadata: { ...metadata } };
}

export type Body =
  /** From a leader. `lead` begins a term; `state` is news of it, a sign of life, and the answer to `hello`. */
  | { readonly kind: "lead" | "state"; readonly state: LeaderState }
  | { readonly kind: "ready"; readonly ready: Ready }
  /** One ServerFrame. */
  | { readonly kind: "frame"; readonly bytes: Uint8Array }
  /** The leader lets this tab take its place. */
  | { readonly kind: "cede"; readonly to: string }
  /** From a follower. `hello` asks for a sign of life; `take` asks a hidden, polling leader for its place. */
  | { readonly kind: "hello" | "take" }
  /** All that the tab reads. */
  | { readonly kind: "wants"; readonly wants: readonly Want[] }
  | { readonly kind: "said"; readonly said: Said }
  /** From any tab: it goes; or the user has signed out. */
  | { readonly kind: "bye" | "sign-out" };

export type TabMessage = Body & {
  readonly v: typeof TABS_VERSION;
  /** Id of the tab that speaks. */
  readonly from: string;
  /** The leadership that the speaker has or follows; empty = none known. */
  readonly term: string;
};

const KINDS: ReadonlySet<unknown> = new Set<Body["kind"]>([
  ...([
    "lead",
    "state",
    "ready",
    "frame",
    "cede",
    "hello",
    "take",
    "wants",
    "said",
    "bye",
    "sign-out",
  ] as const),
]);
const OF_LEADERS: ReadonlySet<string> = new Set(["lead", "state", "ready", "frame", "cede"]);

/** A message of this version, or null for anything else that comes over the channel. */
export function readMessage(data: unknown): TabMessage | null {
  if (typeof data !== "object" || data === null) return null;
  const { v, from, term, kind } = data as Partial<TabMessage>;
  const known = v === TABS_VERSION && typeof from === "string" && typeof term === "string" && KINDS.has(kind);
  return known ? (data as TabMessage) : null;
}

/** Whether only a leader says such a thing, so that its term must be the present one. */
export function isOfLeader({ kind }: TabMessage): boolean {
  return OF_LEADERS.has(kind);
}

/** A new term: greater than `last` as a string, so that tabs know which of two leaders came later. */
export function termAfter(last: string, nowMs: number, random: number): string {
  const begun = Math.max(nowMs, Number.parseInt(last.slice(0, 11) || "0", 36) + 1);
  return `${begun.toString(36).padStart(11, "0")}.${Math.floor(random * 2 ** 32).toString(36)}`;
}
