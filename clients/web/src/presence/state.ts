import type { RealtimeError } from "../errors.js";
import {
  PresenceState as PbState,
  type PresenceFrame,
  type PresenceMember,
} from "../gen/shipspeak/realtime/v1/frame_pb.js";

/** What a member says of itself. */
export type PresenceState = "online" | "active" | "away";

/** One running client in a topic. */
export interface Member {
  /** Who, as the hub authenticated it. */
  readonly user: string;
  readonly clientId: string;
  readonly state: PresenceState;
  /** Facts for display. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Who is in a topic; frozen, its identity changes only on change. */
export interface PresenceSnapshot {
  /**
   * `pending`: not answered yet. `stale`: what was so when the stream was lost; a poll has no presence. `refused`: see
   * `error`.
   */
  readonly status: "pending" | "live" | "stale" | "refused";
  /** By user and client; empty above 100, where only the counts are told. */
  readonly members: readonly Member[];
  readonly sessions: number;
  readonly users: number;
  readonly error: RealtimeError | null;
}

export const NOBODY: PresenceSnapshot = Object.freeze({
  status: "pending",
  members: Object.freeze([]),
  sessions: 0,
  users: 0,
  error: null,
});

/** Applies a frame to what is held: all there is, or absolute states of the members that have changed. */
export function applyPresence(held: PresenceSnapshot, frame: PresenceFrame): PresenceSnapshot {
  const members = new Map<string, Member>();
  if (!frame.full) for (const member of held.members) members.set(keyOf(member), member);
  for (const told of frame.members) {
    if (told.state === PbState.OFFLINE) members.delete(keyOf(told));
    else members.set(keyOf(told), toMember(told));
  }
  const listed = members.size === frame.sessions;
  const sorted = listed ? [...members].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, member]) => member) : [];
  const { sessions, users } = frame;
  return Object.freeze({ status: "live", members: Object.freeze(sorted), sessions, users, error: null });
}

const STATES = { online: PbState.ONLINE, active: PbState.ACTIVE, away: PbState.AWAY } as const;

export function toWire(state: PresenceState | "offline"): PbState {
  return state === "offline" ? PbState.OFFLINE : STATES[state];
}

function toMember(told: PresenceMember): Member {
  const state = told.state === PbState.ACTIVE ? "active" : told.state === PbState.AWAY ? "away" : "online";
  const { user, clientId } = told;
  return Object.freeze({ user, clientId, state, metadata: Object.freeze({ ...told.metadata }) });
}

function keyOf({ user, clientId }: { readonly user: string; readonly clientId: string }): string {
  return `${user}\n${clientId}`;
}
