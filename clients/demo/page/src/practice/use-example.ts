import { useEffect, useRef, useState } from "react";

/** Words a minute at which the example is typed. */
const PACE = 150;
const EXAMPLE =
  "Good morning, and thank you for coming. Um, today I want to talk about our pilot. I think it is, you know, " +
  "basically the right size. Maybe we could sort of start with forty customers. Um, that is probably enough to learn " +
  "from. Let me say that again, without the padding. We start with forty customers on Monday. Each one gets the new " +
  "report by noon. Support answers within the hour. We measure three things: time to first report, errors, and how many " +
  "people come back on the second day. If two of the three are better than today, we ship to everyone in June. If not, " +
  "we stop and say so. That is the whole plan, and it fits on one page. Thank you.";

export interface Example {
  readonly isRunning: boolean;
  readonly start: () => void;
  readonly stop: () => void;
}

/** Types an example speech at a speaking pace, word by word, as a person would. */
export function useExample(text: string, setText: (text: string) => void): Example {
  const [isRunning, setRunning] = useState(false);
  const write = useRef({ text, setText });
  useEffect(() => {
    write.current = { text, setText };
  });
  useEffect(() => {
    if (!isRunning) return;
    const words = EXAMPLE.split(" ");
    const timer = setInterval(() => {
      const word = words.shift();
      const { text, setText } = write.current;
      if (word === undefined) setRunning(false);
      else setText(text === "" ? word : `${text} ${word}`);
    }, 60_000 / PACE);
    return () => clearInterval(timer);
  }, [isRunning]);
  return { isRunning, start: () => setRunning(true), stop: () => setRunning(false) };
}
