import { useConnection, useRealtime, useTopic } from "@shipspeak/realtime/react";
import { useState, useSyncExternalStore } from "react";
import type { Route } from "../route.js";
import { useMe } from "../services.js";
import { number } from "../words.js";
import { Panel } from "./panel.js";
import { PHASE_WORDS, ROLE_WORDS } from "./words.js";

const OPEN_KEY = "shipspeak.panel";

/** What the connection is doing, in numbers; opens to the whole story and to ways to disturb it. */
export function Strip({ route }: { route: Route }) {
  const topic = useRouteTopic(route);
  const client = useRealtime();
  const { role, tabs } = useSyncExternalStore(client.tabs.subscribe, client.tabs.getSnapshot);
  const { phase, transport, quality, rttMs, counters } = useConnection();
  // Whoever shows the topic reads it from the start it wants, and comes first; this one only looks on.
  const { offset, events, leftOut } = useTopic(topic);
  const [isOpen, setOpen] = useState(() => sessionStorage.getItem(OPEN_KEY) === "yes");
  const toggle = () => {
    sessionStorage.setItem(OPEN_KEY, isOpen ? "no" : "yes");
    setOpen(!isOpen);
  };
  const way = transport === "longpoll" || transport === "poll" ? "polling" : (transport ?? "none");
  const figures: readonly (readonly [string, string, string])[] = [
    ["transport", "Transport", way],
    ["rtt", "Round trip", rttMs === null ? "–" : `${number(rttMs)} ms`],
    ["offset", "Offset", offset === null ? "–" : String(offset)],
    ["events", "Events", String(events)],
    ["left-out", "Left out", String(leftOut)],
    ["gaps", "Gaps", number(counters.gaps)],
    ["duplicates", "Duplicates", number(counters.duplicates)],
  ];
  return (
    <section className="strip" aria-label="Connection" data-topic={topic}>
      {isOpen && <Panel topic={topic} />}
      <div className="strip-line">
        <p className="strip-phase" data-quality={quality} data-phase={phase}>
          <span className="strip-light" aria-hidden="true" />
          {PHASE_WORDS[phase]}
        </p>
        <dl className="strip-figures">
          {figures.map(([key, name, value]) => (
            <div key={key}>
              <dt>{name}</dt>
              <dd data-figure={key}>{value}</dd>
            </div>
          ))}
        </dl>
        <p className="strip-role" data-role={role} data-tabs={tabs}>
          {ROLE_WORDS[role]}
          {tabs > 1 && `, ${tabs} tabs`}
        </p>
        <button
          type="button"
          className="strip-button strip-toggle"
          data-panel-toggle
          aria-expanded={isOpen}
          onClick={toggle}
        >
          {isOpen ? "Less" : "More"}
        </button>
      </div>
    </section>
  );
}

/** The topic that what is on the page comes from. */
function useRouteTopic(route: Route): string {
  const { id } = useMe();
  if (route.page === "meetings") return `meeting/${route.id ?? "list"}`;
  return route.page === "practice" && route.id ? `practice/${id}/${route.id}` : `user/${id}`;
}
