import { usePracticeFeedback, useRealtime } from "@shipspeak/realtime/react";
import { useEffect, useState } from "react";

const SHOWN_MS = 4500;

/** Each milestone of a session is celebrated once, in one of the person's tabs. */
export function Celebration({ sessionId }: { sessionId: string }) {
  const client = useRealtime();
  const { milestones } = usePracticeFeedback(sessionId);
  const [queue, setQueue] = useState<readonly { readonly id: string; readonly title: string }[]>([]);
  useEffect(() => {
    for (const { id, title } of milestones) {
      // Asked again for the same one, this tab gets no for an answer too. So a claim that is won counts also when it
      // comes after the next milestone: no other tab will have it.
      client.claim(`milestone ${sessionId} ${id}`).then(
        (isMine) => isMine && setQueue((now) => [...now, { id, title }]),
        () => {}, // nobody knows whether another tab celebrates: once too few is better than twice
      );
    }
  }, [client, sessionId, milestones]);
  const shown = queue[0];
  useEffect(() => {
    if (!shown) return;
    const timer = setTimeout(() => setQueue(([, ...rest]) => rest), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [shown]);
  if (!shown) return null;
  // The practice component reads milestones aloud; this is for the eye.
  return (
    <div className="celebration" data-celebration={shown.id} key={shown.id} aria-hidden="true">
      <span className="celebration-burst">
        {Array.from({ length: 12 }, (_, ray) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: twelve rays that never change
          <i key={ray} />
        ))}
      </span>
      <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
        <path d="M8 4h8v5a4 4 0 0 1-8 0zM8 6H5a3 3 0 0 0 3 4M16 6h3a3 3 0 0 1-3 4M12 13v4M8.5 20h7M10 17h4" />
      </svg>
      <strong>{shown.title}</strong>
    </div>
  );
}
