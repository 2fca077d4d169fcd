import { useMemo } from "react";
import type { Cue, Result } from "../backend.js";
import { clock } from "../words.js";

type Kind = "filler" | "hedge";

/** The transcript with the counted words marked, so that each figure can be checked by eye. */
export function Transcript({ cues, result }: { cues: readonly Cue[]; result: Result }) {
  const kinds = useMemo(() => termKinds(result), [result]);
  const pattern = useMemo(() => termPattern(kinds), [kinds]);
  return (
    <details className="transcript">
      <summary>Check it against the transcript ({cues.length} lines)</summary>
      <p className="soft">
        <mark data-kind="filler">Fillers</mark> and <mark data-kind="hedge">hedges</mark> are marked.
      </p>
      <ol>
        {cues.map((cue) => (
          <li key={`${cue.start_ms}:${cue.end_ms}:${cue.text}`}>
            <span className="time">{clock(cue.start_ms)}</span>
            <span>
              <strong>{cue.speaker}</strong> {marked(cue.text, pattern, kinds)}
            </span>
          </li>
        ))}
      </ol>
    </details>
  );
}

function termKinds(result: Result): ReadonlyMap<string, Kind> {
  const kinds = new Map<string, Kind>();
  for (const one of result.language.by_speaker) {
    for (const term of Object.keys(one.fillers.terms)) kinds.set(term.toLowerCase(), "filler");
    for (const term of Object.keys(one.hedges.terms)) kinds.set(term.toLowerCase(), "hedge");
  }
  return kinds;
}

function termPattern(kinds: ReadonlyMap<string, Kind>): RegExp | null {
  if (kinds.size === 0) return null;
  const longestFirst = [...kinds.keys()].sort((a, b) => b.length - a.length);
  const words = longestFirst.map((term) =>
    term.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(" ", "\\s+"),
  );
  return new RegExp(`(?<![\\p{L}'])(${words.join("|")})(?![\\p{L}'])`, "giu");
}

function marked(text: string, pattern: RegExp | null, kinds: ReadonlyMap<string, Kind>) {
  if (!pattern) return text;
  let at = 0;
  return text.split(pattern).map((part, index) => {
    const from = at;
    at += part.length;
    if (index % 2 === 0) return part;
    return (
      <mark key={from} data-kind={kinds.get(part.toLowerCase().replaceAll(/\s+/g, " "))}>
        {part}
      </mark>
    );
  });
}
