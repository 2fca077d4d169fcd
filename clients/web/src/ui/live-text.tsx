import { type ReactNode, useEffect, useRef, useState } from "react";

export interface LiveLine {
  readonly key: string;
  readonly text: string;
  /** Before the text, such as a speaker or what a hint is about. */
  readonly label?: string;
  readonly tone?: "info" | "praise" | "nudge" | "urgent";
}

export interface LiveTextProps {
  /** Oldest first. */
  readonly lines: readonly LiveLine[];
  /** Names the text for screen readers. */
  readonly label: string;
  /** Whether new lines are read aloud; default true. */
  readonly spoken?: boolean;
  /** Shown while there are no lines. */
  readonly empty?: ReactNode;
  readonly jumpLabel?: string;
}

/** A text that grows at its end. It follows the end, unless the person has scrolled up to read. */
export function LiveText({
  lines,
  label,
  spoken = true,
  empty,
  jumpLabel = "Jump to the latest",
}: LiveTextProps) {
  const box = useRef<HTMLDivElement>(null);
  const [follows, setFollows] = useState(true);
  const last = lines.at(-1)?.key;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new last line is what moves the end
  useEffect(() => {
    const element = box.current;
    if (element && follows) element.scrollTop = element.scrollHeight;
  }, [last, follows]);
  const onScroll = () => {
    const element = box.current;
    if (element) setFollows(element.scrollHeight - element.scrollTop - element.clientHeight < 24);
  };
  return (
    <div className="rt-text">
      <div
        className="rt-text-lines"
        ref={box}
        onScroll={onScroll}
        role="log"
        aria-live={spoken ? "polite" : "off"}
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
      >
        {lines.length === 0 && <p className="rt-text-empty">{empty}</p>}
        {lines.map(({ key, text, label: about, tone = "info" }) => (
          <p key={key} className="rt-text-line" data-tone={tone}>
            {about && <span className="rt-text-label">{about}</span>}
            <span dir="auto">{text}</span>
          </p>
        ))}
      </div>
      {!follows && (
        <button type="button" className="rt-button rt-text-jump" onClick={() => setFollows(true)}>
          {jumpLabel}
        </button>
      )}
    </div>
  );
}
