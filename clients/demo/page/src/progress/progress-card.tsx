import { ProgressBar } from "@shipspeak/realtime/ui";
import { useId } from "react";
import { number } from "../words.js";
import { useProgress } from "./use-progress.js";

const GOAL_WORDS: Readonly<Record<string, string>> = {
  sessions: "Ten practice sessions",
  meetings: "Three meetings analysed",
  words: "A thousand words practised",
};

/** Level, streak and goals of the person. */
export function ProgressCard() {
  const progress = useProgress();
  const heading = useId();
  if (!progress) return null;
  const { level, points, streak, toNextLevel, goals } = progress;
  return (
    <section className="card progress-card" aria-labelledby={heading} data-level={level}>
      <h2 id={heading}>Your progress</h2>
      <div className="progress-head">
        <p className="progress-level">
          Level <strong>{level}</strong>
        </p>
        <p className="progress-facts">
          <span>{number(points)} points</span>
          <span data-streak={streak}>{streakWords(streak)}</span>
        </p>
      </div>
      <Goal label={`On the way to level ${level + 1}`} value={toNextLevel} />
      <ul className="goals" aria-label="Goals">
        {[...goals].map(([name, value]) => (
          <li key={name}>
            <Goal label={GOAL_WORDS[name] ?? name} value={value} />
          </li>
        ))}
      </ul>
    </section>
  );
}

export function streakWords(days: number): string {
  if (days === 0) return "No streak yet";
  return days === 1 ? "1 day in a row" : `${days} days in a row`;
}

function Goal({ label, value }: { label: string; value: number }) {
  const percent = `${Math.floor(value * 100)} %`;
  return (
    <div className="goal" data-reached={value >= 1}>
      <span>{label}</span>
      <span className="goal-percent">{value >= 1 ? "Reached" : percent}</span>
      <ProgressBar value={value} label={label} text={percent} tone={value >= 1 ? "good" : "accent"} />
    </div>
  );
}
