import { ProgressBar } from "@shipspeak/realtime/ui";
import { hrefOf } from "../route.js";
import { useNameOf } from "../services.js";
import { dayAndTime, stageLabel } from "../words.js";
import { isRunning, type Row } from "./row.js";

const STATUS_WORDS: Readonly<Record<Row["status"], string>> = {
  uploading: "Uploading",
  queued: "Waiting",
  processing: "In progress",
  completed: "Done",
  failed: "Failed",
};

/** All meetings, newest first, each with its progress as it goes. */
export function MeetingList({ rows, current }: { rows: readonly Row[]; current: string | null }) {
  if (rows.length === 0) return null;
  return (
    <nav className="meetings" aria-label="All meetings">
      <h2>All meetings</h2>
      <ul>
        {rows.map((one) => (
          <MeetingItem key={one.id} row={one} isCurrent={one.id === current} />
        ))}
      </ul>
    </nav>
  );
}

function MeetingItem({ row, isCurrent }: { row: Row; isCurrent: boolean }) {
  const { id, title, status, stage, percent, createdAt, owner } = row;
  const nameOf = useNameOf();
  const when = new Date(createdAt * 1000);
  const words = status === "processing" && stage ? stageLabel(stage) : STATUS_WORDS[status];
  return (
    <li>
      <a href={hrefOf("meetings", id)} data-row={id} {...(isCurrent && { "aria-current": "page" as const })}>
        <span className="meetings-title">{title}</span>
        <time className="meetings-time" dateTime={when.toISOString()}>
          {dayAndTime(when)}
        </time>
        <span className="meetings-status" data-status={status}>
          {words}
          {isRunning(row) && status !== "queued" && ` ${Math.round(percent)} %`}
        </span>
        {owner && <span className="meetings-owner">{nameOf(owner)}</span>}
        {isRunning(row) && (
          <span className="meetings-bar">
            <ProgressBar
              value={percent / 100}
              label={`Progress of ${title}`}
              text={`${Math.round(percent)} %`}
            />
          </span>
        )}
      </a>
    </li>
  );
}
