import { usePracticeFeedback } from "@shipspeak/realtime/react";
import { PracticeFeedback } from "@shipspeak/realtime/ui";
import { useMe } from "../services.js";
import { figureLabel } from "../words.js";
import { Celebration } from "./celebration.js";
import { SpeechBox } from "./speech-box.js";
import { useSpeech } from "./use-speech.js";
import { useStartPractice } from "./use-start-practice.js";

const WORDS = {
  waitingText: "Type on the left. The coach speaks up after the first words.",
  noHints: "Nothing to say yet. Go on.",
} as const;

/** One practice session: what is said on one side, what the coach says to it on the other. */
export function PracticeRoom({ id }: { id: string }) {
  const me = useMe();
  const sessionId = `${me.id}/${id}`;
  const { phase } = usePracticeFeedback(sessionId);
  const speech = useSpeech(id, phase === "ended");
  const hasEnded = phase === "ended" || speech.hasEnded;
  if (speech.isUnknown) return <UnknownSession />;
  return (
    <div className="room" data-phase={hasEnded ? "ended" : "live"}>
      <section className="room-speech" aria-label="What you say">
        <h1>{hasEnded ? "What you said" : "Speak"}</h1>
        <SpeechBox speech={speech} hasEnded={hasEnded} />
        {hasEnded && <Again />}
      </section>
      <div className="room-coach card">
        <PracticeFeedback
          sessionId={sessionId}
          title={hasEnded ? "How it went" : "Your coach"}
          nameOf={figureLabel}
          texts={WORDS}
        />
        {phase === "waiting" && speech.hasEnded && <p className="soft">The summary is on its way.</p>}
      </div>
      <Celebration sessionId={sessionId} />
    </div>
  );
}

function Again() {
  const { start, isStarting, problem } = useStartPractice();
  return (
    <p className="room-again">
      <button type="button" className="big-button" disabled={isStarting} onClick={() => void start()}>
        Practise again
      </button>
      <a href="#/practice">All sessions</a>
      <span className="problem" role="alert">
        {problem}
      </span>
    </p>
  );
}

function UnknownSession() {
  return (
    <div>
      <h1>No such session</h1>
      <p className="soft">
        It may be another person's, or of another day. <a href="#/practice">See your sessions</a>.
      </p>
    </div>
  );
}
