import { LADDER } from "@shipspeak/realtime";
import { useConnection } from "@shipspeak/realtime/react";
import { formatBytes } from "@shipspeak/realtime/ui";
import { useServices } from "../services.js";
import { number } from "../words.js";
import { CopyCommand } from "./copy-command.js";
import { FaultButtons } from "./fault-buttons.js";
import { NetworkButtons } from "./network-buttons.js";
import { REASON_WORDS, RUNG_WORDS } from "./words.js";

/** What each transport has brought, why the connection went from one to another, and faults on request. */
export function Panel({ topic }: { topic: string }) {
  const { config } = useServices();
  const { counters, steps } = useConnection();
  return (
    <div className="panel" id="connection-panel">
      {/* On a narrow page the table scrolls inside its own place; the focus lets the keyboard scroll it. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable place must be reachable without a mouse */}
      <section className="panel-part" aria-labelledby="panel-transports" tabIndex={0}>
        <h2 id="panel-transports">Transports</h2>
        <Transports />
      </section>
      <section className="panel-part" aria-labelledby="panel-steps">
        <h2 id="panel-steps">Steps</h2>
        <p>
          <span data-figure="step-downs">{number(counters.stepDowns)}</span> down,{" "}
          <span data-figure="step-ups">{number(counters.stepUps)}</span> up,{" "}
          <span data-figure="resets">{number(counters.resets)}</span> resets,{" "}
          <span data-figure="bytes">{formatBytes(counters.bytes)}</span> of news
        </p>
        {steps.length === 0 ? (
          <p className="strip-soft">The connection has not left its first transport.</p>
        ) : (
          <ol className="steps" aria-label="Changes of transport, newest first">
            {[...steps].reverse().map(({ at, from, to, reason }) => (
              <li key={`${at} ${from} ${to}`} data-step={`${from} ${to}`}>
                <time dateTime={new Date(at).toISOString()}>
                  {new Date(at).toLocaleTimeString("en", { hour12: false })}
                </time>
                <span>
                  {RUNG_WORDS[from]} → {RUNG_WORDS[to]}: {REASON_WORDS[reason]}
                </span>
              </li>
            ))}
          </ol>
        )}
      </section>
      {config.dev && (
        <section className="panel-part" aria-labelledby="panel-faults">
          <h2 id="panel-faults">Disturb it</h2>
          <FaultButtons />
          <NetworkButtons />
        </section>
      )}
      {topic.startsWith("meeting/") && (
        <section className="panel-part" aria-labelledby="panel-terminal">
          <h2 id="panel-terminal">In a terminal</h2>
          <CopyCommand text={`rthub tail ${topic} --from earliest --server ${config.grpc}`} />
        </section>
      )}
    </div>
  );
}

function Transports() {
  const { transports, transport } = useConnection();
  return (
    <table className="transports">
      <thead>
        <tr>
          <th scope="col">Way</th>
          <th scope="col">Sessions</th>
          <th scope="col">First frame</th>
          <th scope="col">First event</th>
          <th scope="col">Events</th>
          <th scope="col">Bytes</th>
        </tr>
      </thead>
      <tbody>
        {LADDER.map((rung) => {
          const { sessions, firstFrameMs, firstEventMs, events, bytes } = transports[rung];
          return (
            <tr key={rung} data-rung={rung} {...(rung === transport && { "data-now": true })}>
              <th scope="row">{RUNG_WORDS[rung]}</th>
              <td>{number(sessions)}</td>
              <td>{time(firstFrameMs)}</td>
              <td>{time(firstEventMs)}</td>
              <td>{number(events)}</td>
              <td>{formatBytes(bytes)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function time(ms: number | null): string {
  return ms === null ? "–" : `${number(ms)} ms`;
}
