import { useId } from "react";
import type { DimensionState, Hint, Milestone, PracticeState } from "../practice/state.js";
import { usePracticeFeedback } from "../react/use-practice-feedback.js";
import { Announcer } from "./announcer.js";
import { formatClock, formatFigure, formatName } from "./format.js";
import { Icon, type IconName } from "./icons.js";
import { LiveText } from "./live-text.js";
import { ScoreRing } from "./score-ring.js";

export interface PracticeFeedbackTexts {
  readonly waiting: string;
  readonly waitingText: string;
  readonly ended: string;
  readonly score: string;
  readonly hints: string;
  readonly noHints: string;
  readonly milestones: string;
  readonly summary: string;
  readonly incomplete: string;
  /** Change since the last score, for screen readers. */
  readonly trend: (points: number) => string;
}

const TEXTS: PracticeFeedbackTexts = {
  waiting: "Ready when you are",
  waitingText: "Start speaking; hints and scores appear here as you go.",
  ended: "Session over",
  score: "Score",
  hints: "Hints",
  noHints: "No hints yet. Keep going.",
  milestones: "Reached",
  summary: "Summary",
  incomplete: "Earlier feedback is no longer on record.",
  trend: (points) =>
    points > 0 ? `up ${points} points` : points < 0 ? `down ${-points} points` : "unchanged",
};

export interface PracticeFeedbackProps {
  readonly sessionId: string;
  /** Heading; default "Practice". */
  readonly title?: string;
  /** Rank of the heading; default 2. */
  readonly headingLevel?: 1 | 2 | 3 | 4;
  /** Words for a dimension, aspect or figure; default: its name. */
  readonly nameOf?: (name: string) => string;
  readonly texts?: Partial<PracticeFeedbackTexts>;
}

const HINT_ICONS: Readonly<Record<Hint["tone"], IconName>> = {
  info: "info",
  praise: "check",
  nudge: "warning",
  urgent: "danger",
};

/** Hints, scores, milestones and figures of one practice session, live. Takes everything from the session's topic. */
export function PracticeFeedback({
  sessionId,
  title = "Practice",
  headingLevel = 2,
  nameOf = formatName,
  texts,
}: PracticeFeedbackProps) {
  const state = usePracticeFeedback(sessionId);
  const words = { ...TEXTS, ...texts };
  const heading = useId();
  const Heading = `h${headingLevel}` as const;
  const latest = state.phase === "ended" ? undefined : state.hints.at(-1);
  const older = latest ? state.hints.slice(0, -1) : state.hints;
  return (
    <section className="rt-practice" aria-labelledby={heading} data-phase={state.phase}>
      <header className="rt-practice-head">
        <Heading className="rt-title" id={heading}>
          {title}
        </Heading>
        {state.elapsedMs !== null && <p className="rt-practice-clock">{formatClock(state.elapsedMs)}</p>}
      </header>
      {state.phase === "waiting" && !state.error && (
        <div className="rt-empty">
          <strong>{words.waiting}</strong>
          <span>{words.waitingText}</span>
        </div>
      )}
      {state.error && <p className="rt-failure">{state.error.message}</p>}
      {latest && <LatestHint key={latest.key} hint={latest} nameOf={nameOf} />}
      {state.overall !== null && <Scores state={state} words={words} nameOf={nameOf} />}
      {state.milestones.length > 0 && <Milestones all={state.milestones} label={words.milestones} />}
      {state.figures.length > 0 && (
        <Figures state={state} label={state.phase === "ended" ? words.summary : undefined} nameOf={nameOf} />
      )}
      {(older.length > 0 || (state.phase === "live" && !latest)) && (
        <LiveText
          label={words.hints}
          spoken={false}
          empty={words.noHints}
          lines={older.map(({ key, aspect, text, tone }) => ({ key, text, tone, label: nameOf(aspect) }))}
        />
      )}
      {state.incomplete && <p className="rt-note">{words.incomplete}</p>}
      <Announcer text={announcementOf(state, words, nameOf)} />
    </section>
  );
}

function LatestHint({ hint, nameOf }: { hint: Hint; nameOf: (name: string) => string }) {
  return (
    <div className="rt-hint" data-tone={hint.tone}>
      <Icon name={HINT_ICONS[hint.tone]} />
      <p className="rt-hint-text">
        <span className="rt-hint-aspect">{nameOf(hint.aspect)}</span>
        <span dir="auto">{hint.text}</span>
      </p>
    </div>
  );
}

interface PartProps {
  readonly state: PracticeState;
  readonly words: PracticeFeedbackTexts;
  readonly nameOf: (name: string) => string;
}

function Scores({ state, words, nameOf }: PartProps) {
  return (
    <div className="rt-scores">
      <ScoreRing value={state.overall ?? 0} label={words.score} />
      <ul className="rt-dimensions">
        {state.dimensions.map((one) => (
          <Dimension key={one.dimension} one={one} words={words} nameOf={nameOf} />
        ))}
      </ul>
    </div>
  );
}

function Dimension({ one, words, nameOf }: Omit<PartProps, "state"> & { readonly one: DimensionState }) {
  const points = Math.round(one.trend);
  return (
    <li className="rt-dimension">
      <span className="rt-dimension-name" dir="auto">
        {nameOf(one.dimension)}
      </span>
      <span className="rt-dimension-bar" aria-hidden="true">
        <span className="rt-dimension-fill" style={{ inlineSize: `${one.score}%` }} />
      </span>
      <span className="rt-dimension-score">{Math.round(one.score)}</span>
      <span className="rt-trend" data-trend={points > 0 ? "up" : points < 0 ? "down" : "same"}>
        {points !== 0 && <Icon name={points > 0 ? "up" : "down"} />}
        <span aria-hidden="true">{points === 0 ? "" : Math.abs(points)}</span>
        <span className="rt-visually-hidden">{words.trend(points)}</span>
      </span>
    </li>
  );
}

function Milestones({ all, label }: { all: readonly Milestone[]; label: string }) {
  return (
    <ul className="rt-milestones" aria-label={label}>
      {all.map((one) => (
        <li key={one.id} className="rt-milestone">
          <Icon name="trophy" />
          <span className="rt-milestone-text">
            <strong dir="auto">{one.title}</strong>
            {one.description && <span dir="auto">{one.description}</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Figures({
  state,
  label,
  nameOf,
}: Omit<PartProps, "words"> & { readonly label: string | undefined }) {
  return (
    <div className="rt-figures-place">
      {label && <strong>{label}</strong>}
      <dl className="rt-figures">
        {state.figures.map((one) => (
          <div key={`${one.subject}:${one.name}`} className="rt-figure">
            <dt dir="auto">{one.subject ? `${one.subject}: ${nameOf(one.name)}` : nameOf(one.name)}</dt>
            <dd dir="auto">{one.label || formatFigure(one.value, one.unit)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

/** The end, else the newest milestone or hint, whichever came last; figures and scores are there to be looked up. */
function announcementOf(
  { phase, overall, hints, milestones }: PracticeState,
  words: PracticeFeedbackTexts,
  nameOf: (name: string) => string,
): string {
  if (phase === "ended")
    return overall === null ? words.ended : `${words.ended}. ${words.score}: ${Math.round(overall)}`;
  const hint = hints.at(-1);
  const reached = milestones.at(-1);
  const told = reached ? `${words.milestones}: ${reached.title}. ` : "";
  return hint ? `${told}${nameOf(hint.aspect)}: ${hint.text}` : told;
}
