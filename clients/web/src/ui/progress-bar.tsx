export interface ProgressBarProps {
  /** 0 to 1; null = not known. */
  readonly value: number | null;
  /** Names the bar; or give `labelledBy`. */
  readonly label?: string;
  /** Id of the element that names it. */
  readonly labelledBy?: string;
  /** What is read aloud in place of the bare percentage. */
  readonly text?: string;
  readonly tone?: "accent" | "good" | "danger";
}

/** A progress bar, as screen readers know it. Without a value it says that something goes on. */
export function ProgressBar({ value, label, labelledBy, text, tone = "accent" }: ProgressBarProps) {
  const part = value === null ? null : Math.min(1, Math.max(0, value));
  return (
    <div
      className="rt-bar"
      role="progressbar"
      aria-label={label}
      aria-labelledby={labelledBy}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuetext={text}
      data-tone={tone}
      {...(part === null ? { "data-indeterminate": true } : { "aria-valuenow": Math.floor(part * 100) })}
    >
      <div className="rt-bar-fill" style={part === null ? undefined : { inlineSize: `${part * 100}%` }} />
    </div>
  );
}
