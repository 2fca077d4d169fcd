import { useState } from "react";
import { MeetingList } from "./meeting-list.js";
import { MeetingView } from "./meeting-view.js";
import { Uploader } from "./uploader.js";
import { useMeetings } from "./use-meetings.js";
import { Welcome } from "./welcome.js";

/** What to upload, what there is, and the meeting that the address names. */
export function MeetingsPage({ id }: { id: string | null }) {
  const { rows, meetings, refresh } = useMeetings();
  const [replacing, setReplacing] = useState<string | null>(null);
  return (
    <div className="with-side">
      <aside className="side" aria-label="Meetings">
        <Uploader
          replacing={replacing !== null && replacing === id ? replacing : null}
          onCancelReplace={() => setReplacing(null)}
          onStarted={() => {
            setReplacing(null);
            refresh();
          }}
        />
        {id && <MeetingList rows={rows} current={id} />}
      </aside>
      <main className="main" id="main" tabIndex={-1}>
        {id ? (
          <MeetingView
            key={id}
            id={id}
            title={rows.find((one) => one.id === id)?.title ?? ""}
            meeting={meetings.find((one) => one.id === id)}
            onReplace={() => setReplacing(id)}
            onChanged={refresh}
          />
        ) : (
          <Welcome rows={rows} />
        )}
      </main>
    </div>
  );
}
