import type { Member, PresenceState } from "../presence/state.js";
import { type Me, usePresence } from "../react/use-presence.js";

export interface PresenceListTexts {
  readonly label: string;
  readonly nobody: string;
  readonly stale: string;
  readonly online: string;
  readonly active: string;
  readonly away: string;
  readonly more: (count: number) => string;
}

const TEXTS: PresenceListTexts = {
  label: "Who is here",
  nobody: "Nobody else is here",
  stale: "as last known",
  online: "online",
  active: "active",
  away: "away",
  more: (count) => `and ${count} more`,
};

export interface PresenceListProps {
  readonly topic: string;
  /** What others see of this client; without it, it only watches. */
  readonly me?: Me | null;
  /** A person's name for display; default: the user's id. */
  readonly nameOf?: (user: string, metadata: Readonly<Record<string, string>>) => string;
  /** Most people that are listed; default 8. */
  readonly max?: number;
  readonly texts?: Partial<PresenceListTexts>;
}

/** The people of a topic, one entry for each, however many tabs they have open. */
export function PresenceList({
  topic,
  me = null,
  nameOf = (user) => user,
  max = 8,
  texts,
}: PresenceListProps) {
  const { members, users, status, error } = usePresence(topic, me);
  const words = { ...TEXTS, ...texts };
  if (error) return <p className="rt-note">{error.message}</p>;
  if (status === "pending") return null;
  const people = peopleOf(members);
  const hidden = Math.max(users, people.length) - Math.min(people.length, max);
  return (
    <div className="rt-presence" data-status={status}>
      <ul className="rt-people" aria-label={words.label}>
        {people.slice(0, max).map(({ user, state, metadata }) => (
          <li key={user} className="rt-person" data-state={state}>
            <span className="rt-avatar" aria-hidden="true" data-hue={hueOf(user)}>
              {initialsOf(nameOf(user, metadata))}
            </span>
            <bdi className="rt-person-name">{nameOf(user, metadata)}</bdi>
            <span className="rt-person-state">{words[state]}</span>
          </li>
        ))}
      </ul>
      {hidden > 0 && <p className="rt-note">{words.more(hidden)}</p>}
      {users === 0 && people.length === 0 && <p className="rt-note">{words.nobody}</p>}
      {status === "stale" && <p className="rt-note">{words.stale}</p>}
    </div>
  );
}

const RANK: Readonly<Record<PresenceState, number>> = { active: 0, online: 1, away: 2 };

/** One entry for each user: of several clients the one that is most present. */
function peopleOf(members: readonly Member[]): Member[] {
  const best = new Map<string, Member>();
  for (const member of members) {
    const known = best.get(member.user);
    if (!known || RANK[member.state] < RANK[known.state]) best.set(member.user, member);
  }
  return [...best.values()].sort((a, b) => RANK[a.state] - RANK[b.state] || (a.user < b.user ? -1 : 1));
}

function initialsOf(name: string): string {
  const words = name.trim().split(/[\s._@-]+/u);
  const letters = words.slice(0, 2).map((word) => [...word][0] ?? "");
  return letters.join("").toUpperCase();
}

/** One of six colours, the same for one person everywhere. */
function hueOf(user: string): number {
  let sum = 0;
  for (const character of user) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 997;
  return sum % 6;
}
