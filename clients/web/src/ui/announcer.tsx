import { useEffect, useState } from "react";

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
  useEffect(() => {
    if (text === "") return;
    const timer = setTimeout(() => setSaid({ text, urgent }), EVERY_MS);
    return () => clearTimeout(timer);
  }, [text, urgent]);
  return (
    <>
      <div className="rt-visually-hidden" role="status" aria-live="polite">
        {said.urgent ? "" : said.text}
      </div>
      <div className="rt-visually-hidden" role="alert" aria-live="assertive">
        {said.urgent ? said.text : ""}
      </div>
    </>
  );
}
