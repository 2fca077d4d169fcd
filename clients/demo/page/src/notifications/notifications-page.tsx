import type { Notice, NoticeKind } from "@shipspeak/realtime";
import { useNotifications } from "@shipspeak/realtime/react";
import { NotificationList } from "@shipspeak/realtime/ui";
import { useState } from "react";
import { useMe } from "../services.js";
import { NewsDesk } from "./news-desk.js";
import { useMyTopics } from "./topics.js";

type Chosen = "all" | NoticeKind;

const KINDS: readonly (readonly [Chosen, string])[] = [
  ["all", "All"],
  ["other", "Meetings"],
  ["maintenance", "Maintenance"],
  ["feature", "New features"],
  ["reminder", "Reminders"],
  ["achievement", "Achievements"],
  ["education", "Worth learning"],
];

/** Everything that was told to this person, by kind; what is read or put away is so on every device. */
export function NotificationsPage() {
  const topics = useMyTopics();
  const { desk } = useMe();
  const [chosen, setChosen] = useState<Chosen>("all");
  const { items } = useNotifications(topics);
  const counts = countsOf(items);
  const filter = (notice: Notice) => chosen === "all" || notice.kind === chosen;
  return (
    <main className="main notifications" id="main" tabIndex={-1} data-desk={desk}>
      <section className="centre">
        <fieldset className="chips">
          <legend className="rt-visually-hidden">Show</legend>
          {KINDS.filter(([kind]) => kind === "all" || kind === chosen || counts.has(kind)).map(
            ([kind, words]) => (
              <button
                key={kind}
                type="button"
                className="chip"
                aria-pressed={kind === chosen}
                onClick={() => setChosen(kind)}
              >
                {words}
                {kind !== "all" && <span className="chip-count">{counts.get(kind) ?? 0}</span>}
              </button>
            ),
          )}
        </fieldset>
        <NotificationList topics={topics} filter={filter} headingLevel={1} />
      </section>
      {desk && <NewsDesk />}
    </main>
  );
}

function countsOf(items: readonly Notice[]): ReadonlyMap<Chosen, number> {
  const counts = new Map<Chosen, number>();
  for (const { kind } of items) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}
