import type { Result } from "../backend.js";
import { clock, number } from "../words.js";

/** Every figure by speaker. */
export function SpeakerTable({ result }: { result: Result }) {
  const pace = new Map(result.pace.by_speaker.map((one) => [one.speaker, one.words_per_minute]));
  const language = new Map(result.language.by_speaker.map((one) => [one.speaker, one]));
  const questions = new Map(result.questions.by_speaker.map((one) => [one.speaker, one.count]));
  return (
    // A wide table scrolls inside its own place; the focus lets the keyboard scroll it.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable place must be reachable without a mouse
    <section className="table-place" aria-label="Figures by speaker" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Speaker</th>
            <th scope="col">Share</th>
            <th scope="col">Time</th>
            <th scope="col">Words</th>
            <th scope="col">Per minute</th>
            <th scope="col">Fillers</th>
            <th scope="col">Hedges</th>
            <th scope="col">Questions</th>
          </tr>
        </thead>
        <tbody>
          {result.speakers.by_speaker.map((one, index) => {
            const perMinute = pace.get(one.speaker) ?? null;
            return (
              <tr key={one.speaker}>
                <th scope="row">
                  <span className="dot" data-hue={index % 6} aria-hidden="true" />
                  {one.speaker}
                </th>
                <td>{number(one.share * 100, 1)} %</td>
                <td>{clock(one.talk_ms)}</td>
                <td>{number(one.words)}</td>
                <td>{perMinute === null ? "–" : number(perMinute)}</td>
                <td>
                  <Terms
                    terms={language.get(one.speaker)?.fillers.terms}
                    total={language.get(one.speaker)?.fillers.total}
                  />
                </td>
                <td>
                  <Terms
                    terms={language.get(one.speaker)?.hedges.terms}
                    total={language.get(one.speaker)?.hedges.total}
                  />
                </td>
                <td>{number(questions.get(one.speaker) ?? 0)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

function Terms({
  terms = {},
  total = 0,
}: {
  terms?: Readonly<Record<string, number>> | undefined;
  total?: number | undefined;
}) {
  const words = Object.entries(terms).map(([term, count]) => `${term} ×${count}`);
  return (
    <>
      {number(total)}
      {words.length > 0 && <span className="terms">{words.join(", ")}</span>}
    </>
  );
}
