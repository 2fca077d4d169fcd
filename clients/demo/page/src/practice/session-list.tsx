import { useEffect, useState } from "react";
import type { Session } from "../backend.js";
import { hrefOf } from "../route.js";
import { useServices } from "../services.js";
import { clock, dayAndTime, number } from "../words.js";

/** Earlier sessions, newest first; each is read in full in its room. */
export function SessionList() {
  const { backend } = useServices();
  const [sessions, setSessions] = useState<readonly Session[]>([]);
  useEffect(() => {
    let wanted = true;
    backend.practices().then(
      (found) => wanted && setSessions(found),
      () => {}, // the rest of the page says what is wrong
    );
    return () => {
      wanted = false;
    };
  }, [backend]);
  if (sessions.length === 0) return null;
  return (
    <section className="sessions" aria-labelledby="sessions-title">
      <h2 id="sessions-title">Your sessions</h2>
      <ul>
        {sessions.map((one) => (
          <li key={one.id}>
            <SessionItem session={one} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function SessionItem({ session }: { session: Session }) {
  const { id, started_at, ended_at, overall, figures, elapsed_s } = session;
  const when = new Date(started_at * 1000);
  const words = `${number(figures["words"] ?? 0)} words`;
  return (
    <a className="session" href={hrefOf("practice", id)}>
      <span className="session-score" data-band={bandOf(overall)}>
        {overall === null ? "–" : Math.round(overall)}
      </span>
      <span className="session-words">
        <time dateTime={when.toISOString()}>{dayAndTime(when)}</time>
        <span className="soft">
          {ended_at === null ? "Goes on" : elapsed_s > 0 ? `${words} in ${clock(elapsed_s * 1000)}` : words}
        </span>
      </span>
    </a>
  );
}

function bandOf(overall: number | null): string {
  if (overall === null) return "none";
  return overall >= 75 ? "good" : overall >= 50 ? "fair" : "low";
}
