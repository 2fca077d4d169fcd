import { useId, useState } from "react";
import { number } from "../words.js";
import { useExample } from "./use-example.js";
import type { Speech } from "./use-speech.js";

const STATE_WORDS: Readonly<Record<Speech["state"], string>> = {
  sent: "The coach has heard all of it.",
  waiting: "The coach is listening…",
  away: "The coach cannot be reached. What you say is kept here and goes out when it is back.",
};

/** Where a person speaks by typing, dictating or pasting. */
export function SpeechBox({ speech, hasEnded }: { speech: Speech; hasEnded: boolean }) {
  const { text, setText, state, isReady, finish, problem } = speech;
  const [isFinishing, setFinishing] = useState(false);
  const example = useExample(text, setText);
  const box = useId();
  if (hasEnded) return <p className="said">{text || "Nothing was said."}</p>;
  const end = async () => {
    example.stop();
    setFinishing(true);
    await finish();
    setFinishing(false);
  };
  return (
    <div className="speech">
      <label className="rt-visually-hidden" htmlFor={box}>
        Your speech
      </label>
      <textarea
        id={box}
        className="speech-box"
        value={text}
        // What is said while the session ends would be heard by nobody.
        disabled={!isReady || isFinishing}
        placeholder="Good morning. Today I want to show you…"
        onChange={(event) => {
          example.stop();
          setText(event.target.value);
        }}
      />
      <p className="speech-state" data-state={state}>
        {text === "" ? "Type, dictate, or paste a draft." : STATE_WORDS[state]}
      </p>
      <Reach isAway={state === "away"} />
      <Untimed speech={speech} isFinishing={isFinishing} />
      <div className="speech-tools">
        <button
          type="button"
          className="big-button"
          data-finish
          disabled={!isReady || isFinishing || text.trim() === ""}
          onClick={() => void end()}
        >
          Finish
        </button>
        <button
          type="button"
          className="rt-button"
          data-example
          disabled={!isReady || isFinishing}
          aria-pressed={example.isRunning}
          onClick={example.isRunning ? example.stop : example.start}
        >
          {example.isRunning ? "Stop the example" : "Type an example for me"}
        </button>
        <span className="problem" role="alert">
          {problem}
        </span>
      </div>
    </div>
  );
}

/** Read aloud: that the coach is away, and the end of it. The state itself changes at every pause of typing. */
function Reach({ isAway }: { isAway: boolean }) {
  const [wasAway, setWasAway] = useState(false);
  if (isAway && !wasAway) setWasAway(true);
  return (
    <p className="rt-visually-hidden" role="status">
      {isAway ? STATE_WORDS.away : wasAway && "The coach can be reached again."}
    </p>
  );
}

/** Pasted words came at once; only the speaker knows how long they take to say. */
function Untimed({ speech, isFinishing }: { speech: Speech; isFinishing: boolean }) {
  const { untimedWords, untimedS, setUntimedS } = speech;
  const field = useId();
  if (untimedWords === 0 && untimedS === 0) return null;
  return (
    <div className="untimed">
      <label htmlFor={field}>
        {number(untimedWords)} words were pasted. How many seconds do they take to say?
      </label>
      <input
        id={field}
        type="number"
        inputMode="numeric"
        min={0}
        max={3600}
        disabled={isFinishing}
        value={untimedS || ""}
        placeholder="not told"
        onChange={(event) => setUntimedS(Math.min(3600, Math.max(0, Number(event.target.value) || 0)))}
      />
    </div>
  );
}
