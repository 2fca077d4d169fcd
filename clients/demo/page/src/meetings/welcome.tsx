import { MeetingList } from "./meeting-list.js";
import type { Row } from "./row.js";

/** What the page says before a meeting is chosen: all meetings at work at once, or what one can do here. */
export function Welcome({ rows }: { rows: readonly Row[] }) {
  return (
    <div className="welcome" data-empty={rows.length === 0}>
      <h1>See how a meeting was spoken</h1>
      <p>
        Choose a transcript. It is uploaded and analysed while you watch: who spoke, how fast, with which
        fillers and hedges, and what was asked. Everybody in the team sees it move.
      </p>
      <MeetingList rows={rows} current={null} />
    </div>
  );
}
