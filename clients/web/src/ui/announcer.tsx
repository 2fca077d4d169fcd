import { useEffect, useRef, useState } from "react";

/** At most one announcement in this time; of several, the last one is said. */
const EVERY_MS = 1000;

export interface AnnouncerProps {
  /** What to say next; a new text is said once, an empty one says nothing. */
  readonly text: string;
  /** Interrupts what is being read; for losses and failures only. */
  readonly urgent?: boolean;
}

/**
 * Two live regions that are in the page, empty, from the start: screen readers do not notice a region that comes
 * together with its text.
 */
export function Announcer({ text, urgent = false }: AnnouncerProps) {
  const [said, setSaid] = useState({ text: "", urgent: false });
  const next = useRef({ text, urgent });
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    next.current = { text, urgent };
    // Texts that follow one another quickly must not put each other off for ever: what counts is the first's time.
    if (text === "" || timer.current !== undefined) return;
    timer.current = setTimeout(() => {
      timer.current = undefined;
      if (next.current.text !== "") setSaid(next.current);
    }, EVERY_MS);
  }, [text, urgent]);
  useEffect(() => {
    return () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    };
  }, []);
  return (
    <>
      <div className="rt-visually-hidden" role="status" aria-live="polite" aria-atomic="false">
        {said.urgent ? "" : said.text}
      </div>
      <div className="rt-visually-hidden" role="alert" aria-live="assertive" aria-atomic="false">
        {said.urgent ? said.text : ""}
      </div>
    </>
  );
}
