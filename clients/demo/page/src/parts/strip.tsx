import { useConnection, useMeetingProgress } from "@shipspeak/realtime/react";
import { useServices } from "../services.js";
import { number } from "../words.js";
import { CopyCommand } from "./copy-command.js";
import { FaultButtons } from "./fault-buttons.js";

const PHASE_WORDS: Readonly<Record<string, string>> = {
  idle: "not started",
  authenticating: "asking for a token",
  connecting: "connecting",
  syncing: "catching up",
  live: "live",
  backoff: "waiting to try again",
  offline: "offline",
  "needs-auth": "signed out",
  failed: "failed",
  closed: "closed",
};

/** What the connection is doing, in numbers, and ways to disturb it. */
export function Strip({ meetingId }: { meetingId: string | null }) {
  const { config } = useServices();
  const { phase, transport, quality, rttMs, counters } = useConnection();
  const { offset } = useMeetingProgress(meetingId);
  const way = transport === "longpoll" || transport === "poll" ? "polling" : (transport ?? "none");
  const figures: readonly (readonly [string, string, string])[] = [
    ["transport", "Transport", way],
    ["rtt", "Round trip", rttMs === null ? "–" : `${number(rttMs)} ms`],
    ["offset", "Offset", meetingId === null ? "–" : String(offset)],
    ["events", "Events", number(counters.events)],
    ["left-out", "Left out for newer", number(counters.leftOut)],
    ["gaps", "Gaps", number(counters.gaps)],
    ["duplicates", "Duplicates dropped", number(counters.duplicates)],
  ];
  return (
    <section className="strip" aria-label="Connection">
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
      <div className="strip-tools">
        {config.dev && <FaultButtons />}
        {meetingId && (
          <CopyCommand text={`rthub tail meeting/${meetingId} --from earliest --server ${config.grpc}`} />
        )}
      </div>
    </section>
  );
}
