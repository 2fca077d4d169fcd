import { usePresence } from "@shipspeak/realtime/react";
import type { Route } from "../route.js";
import { useMe, useNameOf } from "../services.js";
import { Avatar } from "./avatar.js";

const TEAM_TOPIC = "group/team";

/** Who else has the product open, and where. */
export function HereNow({ route }: { route: Route }) {
  const me = useMe();
  const nameOf = useNameOf();
  const { members, status } = usePresence(TEAM_TOPIC, { state: "active", metadata: { page: route.page } });
  const others = new Map(
    members.filter(({ user }) => user !== me.id).map(({ user, metadata }) => [user, metadata["page"] ?? ""]),
  );
  if (others.size === 0) return null;
  return (
    <ul className="here-now" aria-label="Also here" data-status={status}>
      {[...others].map(([user, page]) => (
        <li key={user} title={`${nameOf(user)}: ${page}`} data-here={user}>
          <Avatar name={nameOf(user)} />
          <span className="rt-visually-hidden">
            {nameOf(user)}, {page}
          </span>
        </li>
      ))}
    </ul>
  );
}
