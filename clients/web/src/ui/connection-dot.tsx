import type { ConnectionSnapshot } from "../connection/snapshot.js";
import { useConnection } from "../react/use-connection.js";

export interface ConnectionDotTexts {
  readonly live: string;
  readonly slow: string;
  readonly connecting: string;
  readonly offline: string;
  readonly off: string;
}

const TEXTS: ConnectionDotTexts = {
  live: "Live",
  slow: "Live, by polling",
  connecting: "Connecting",
  offline: "Not connected",
  off: "Not started",
};

export interface ConnectionDotProps {
  /** Shows the word beside the dot; screen readers get it anyway. Default true. */
  readonly showLabel?: boolean;
  readonly texts?: Partial<ConnectionDotTexts>;
}

/** One dot for the connection. Its form changes with its colour, so that nobody needs to see colours. */
export function ConnectionDot({ showLabel = true, texts }: ConnectionDotProps) {
  const word = useConnection(wordOf);
  const text = { ...TEXTS, ...texts }[word];
  return (
    <span className="rt-dot-place" data-state={word}>
      <span className="rt-dot" aria-hidden="true" />
      <span className={showLabel ? "rt-dot-label" : "rt-visually-hidden"}>{text}</span>
    </span>
  );
}

function wordOf({ phase, quality }: ConnectionSnapshot): keyof ConnectionDotTexts {
  if (phase === "live") return quality === "good" ? "live" : "slow";
  if (phase === "idle" || phase === "closed") return "off";
  return quality === "down" ? "offline" : "connecting";
}
