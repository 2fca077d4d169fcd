import { ConnectionBanner } from "@shipspeak/realtime/ui";
import { useState } from "react";
import { MeetingList } from "./parts/meeting-list.js";
import { MeetingView } from "./parts/meeting-view.js";
import { Strip } from "./parts/strip.js";
import { Uploader } from "./parts/uploader.js";
import { Welcome } from "./parts/welcome.js";
import { useMeetingId } from "./route.js";
import { useMeetings } from "./use-meetings.js";

/** The whole page: what to upload, what there is, and the meeting that the address names. */
export function App() {
  const meetingId = useMeetingId();
  const { meetings, refresh } = useMeetings();
  const [replacing, setReplacing] = useState<string | null>(null);
  const meeting = meetings.find((one) => one.id === meetingId);
  return (
    <div className="page">
      <a className="skip" href="#main">
        Skip to the meeting
      </a>
      <header className="top">
        <a className="brand" href="#start" aria-label="ShipSpeak, start page">
          <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <path d="M6 14v4M11 10v12M16 6v20M21 11v10M26 14v4" />
          </svg>
          ShipSpeak
        </a>
        <div className="top-banner">
          <ConnectionBanner />
        </div>
      </header>
      <aside className="side" aria-label="Meetings">
        <Uploader
          replacing={replacing !== null && replacing === meetingId ? replacing : null}
          onCancelReplace={() => setReplacing(null)}
          onStarted={() => {
            setReplacing(null);
            refresh();
          }}
        />
        <MeetingList meetings={meetings} current={meetingId} />
      </aside>
      <main className="main" id="main" tabIndex={-1}>
        {meetingId ? (
          <MeetingView
            key={meetingId}
            id={meetingId}
            meeting={meeting}
            onReplace={() => setReplacing(meetingId)}
            onChanged={refresh}
          />
        ) : (
          <Welcome />
        )}
      </main>
      <Strip meetingId={meetingId} />
    </div>
  );
}
