/** Circumference of the ring, in units of its picture. */
const ROUND = 2 * Math.PI * 42;

export interface ScoreRingProps {
  /** 0 to 100. */
  readonly value: number;
  readonly label: string;
}

/** A score as a ring that fills. */
export function ScoreRing({ value, label }: ScoreRingProps) {
  const shown = Math.round(value);
  const band = shown >= 75 ? "good" : shown >= 50 ? "fair" : "low";
  return (
    <svg
      className="rt-ring"
      viewBox="0 0 100 100"
      role="img"
      aria-label={`${label}: ${shown}`}
      data-band={band}
    >
      <circle className="rt-ring-track" cx="50" cy="50" r="42" />
      <circle
        className="rt-ring-fill"
        cx="50"
        cy="50"
        r="42"
        strokeDasharray={ROUND}
        strokeDashoffset={ROUND * (1 - value / 100)}
      />
      <text className="rt-ring-value" x="50" y="50">
        {shown}
      </text>
    </svg>
  );
}
