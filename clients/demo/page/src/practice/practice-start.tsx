import { useState } from "react";
import { ProgressCard } from "../progress/progress-card.js";
import { useServices } from "../services.js";
import { SessionList } from "./session-list.js";
import { useStartPractice } from "./use-start-practice.js";

/** Before a session: what it is, and what came of the earlier ones. */
export function PracticeStart() {
  const { start, isStarting, problem } = useStartPractice();
  return (
    <div className="practice-start">
      <div className="practice-invite">
        <h1>Practise a talk</h1>
        <p className="lead">
          Type what you would say, dictate it, or paste a draft. The coach listens as you go: pace, fillers,
          hedges and long sentences, each with a score that you can check by hand.
        </p>
        <button
          type="button"
          className="big-button"
          data-start-practice
          disabled={isStarting}
          onClick={() => void start()}
        >
          Begin a session
        </button>
        <p className="problem" role="alert">
          {problem}
        </p>
        <Reminder />
      </div>
      <ProgressCard />
      <SessionList />
    </div>
  );
}

const LATER: readonly (readonly [string, number])[] = [
  ["in a minute", 60],
  ["in an hour", 3600],
  ["tomorrow", 86_400],
];

function Reminder() {
  const { backend } = useServices();
  const [said, setSaid] = useState("");
  const remind = async (words: string, inS: number) => {
    try {
      await backend.remind(inS);
      setSaid(`You will be reminded ${words}.`);
    } catch (error) {
      setSaid(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <div className="remind">
      <span className="soft">Not now? Remind me</span>
      {LATER.map(([words, inS]) => (
        <button
          key={inS}
          type="button"
          className="rt-link-button"
          data-remind={inS}
          onClick={() => void remind(words, inS)}
        >
          {words}
        </button>
      ))}
      <span role="status">{said}</span>
    </div>
  );
}
