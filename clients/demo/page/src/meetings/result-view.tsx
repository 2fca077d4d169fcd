import { useEffect, useState } from "react";
import type { Cue, Result } from "../backend.js";
import { useServices } from "../services.js";
import { clock, number } from "../words.js";
import { SpeakerTable } from "./speaker-table.js";
import { TalkShare } from "./talk-share.js";
import { Transcript } from "./transcript.js";

/** The figures of a finished meeting, beside the transcript that they can be checked against. */
export function ResultView({ id }: { id: string }) {
  const { backend } = useServices();
  const [result, setResult] = useState<Result | null>(null);
  const [cues, setCues] = useState<readonly Cue[]>([]);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let wanted = true;
    Promise.all([backend.result(id), backend.transcript(id)]).then(
      ([found, lines]) => {
        if (!wanted) return;
        setResult(found);
        setCues(lines);
      },
      (error: Error) => wanted && setProblem(error.message),
    );
    return () => {
      wanted = false;
    };
  }, [backend, id]);
  if (problem) return <p className="problem" role="alert">{`The result cannot be shown: ${problem}`}</p>;
  if (!result) return <p className="soft">Fetching the result…</p>;
  return (
    <div className="result" data-result={id}>
      <Figures result={result} />
      <TalkShare result={result} />
      <SpeakerTable result={result} />
      <Questions result={result} />
      <Transcript cues={cues} result={result} />
    </div>
  );
}

function Figures({ result }: { result: Result }) {
  const { summary, pace, language, questions } = result;
  const figures: readonly (readonly [string, string])[] = [
    ["Length", clock(summary.duration_ms)],
    ["Words", number(summary.words)],
    ["Words a minute", pace.words_per_minute === null ? "unknown" : number(pace.words_per_minute)],
    ["Questions", number(questions.count)],
    ["Fillers", number(language.fillers)],
    ["Hedges", number(language.hedges)],
    ["Turns", number(summary.turns)],
    ["Overlaps", number(summary.overlaps.count)],
  ];
  const { speaker, duration_ms, start_ms } = summary.longest_monologue;
  return (
    <section aria-label="Figures">
      <dl className="figures">
        {figures.map(([name, value]) => (
          <div key={name} className="figure">
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p className="soft">
        Longest stretch by one person: {speaker}, {clock(duration_ms)} from {clock(start_ms)} on.
        {result.timing === "estimated" && " The transcript has no times, so times are estimates."}
      </p>
    </section>
  );
}

function Questions({ result }: { result: Result }) {
  const { items } = result.questions;
  if (items.length === 0) return null;
  return (
    <section aria-labelledby="questions-title">
      <h2 id="questions-title">Questions</h2>
      <ol className="questions">
        {items.map((one) => (
          <li key={`${one.start_ms}:${one.text}`}>
            <span className="time">{clock(one.start_ms)}</span>
            <span>
              <strong>{one.speaker}</strong> {one.text}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
