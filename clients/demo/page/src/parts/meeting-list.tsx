import type { Meeting } from "../backend.js";
import { hashOf } from "../route.js";

const STATUS_WORDS: Readonly<Record<Meeting["status"], string>> = {
  uploading: "Uploading",
  queued: "Waiting",
  processing: "In progress",
  completed: "Done",
  failed: "Failed",
};

/** All meetings, newest first. */
export function MeetingList({ meetings, current }: { meetings: readonly Meeting[]; current: string | null }) {
  if (meetings.length === 0) return null;
  return (
    <nav className="meetings" aria-label="Your meetings">
      <h2>Meetings</h2>
      <ul>
        {meetings.map((one) => (
          <li key={one.id}>
            <a href={hashOf(one.id)} {...(one.id === current ? { "aria-current": "page" as const } : {})}>
              <span className="meetings-title">{one.title}</span>
              <span className="meetings-status" data-status={one.status}>
                {STATUS_WORDS[one.status]}
              </span>
              <time className="meetings-time" dateTime={new Date(one.created_at * 1000).toISOString()}>
                {new Date(one.created_at * 1000).toLocaleTimeString("en", {
                  timeStyle: "short",
                  hour12: false,
                })}
              </time>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
