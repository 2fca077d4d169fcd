import { useOutbox } from "../react/use-outbox.js";
import { Icon } from "./icons.js";

export interface OutboxBadgeTexts {
  readonly waiting: (count: number) => string;
  /** While nothing is sent until somebody is signed in. */
  readonly paused: (count: number) => string;
  readonly failed: (count: number) => string;
  readonly retry: string;
  readonly discard: string;
}

const TEXTS: OutboxBadgeTexts = {
  waiting: (count) => `${count} waiting to be sent`,
  paused: (count) => `${count} waiting for you to sign in`,
  failed: (count) => `${count} could not be sent`,
  retry: "Try again",
  discard: "Discard",
};

export interface OutboxBadgeProps {
  readonly texts?: Partial<OutboxBadgeTexts>;
}

/** What waits to be sent, and what was refused, with the ways out; nothing is shown while there is neither. */
export function OutboxBadge({ texts }: OutboxBadgeProps) {
  const { entries, paused, retry, discard } = useOutbox();
  const words = { ...TEXTS, ...texts };
  const dead = entries.filter((one) => one.state === "dead");
  const waiting = entries.length - dead.length;
  const reasons = [...new Set(dead.map(({ error }) => error?.message).filter(Boolean))];
  return (
    <div className="rt-outbox">
      {/* There from the beginning, so that what comes into it is read aloud. */}
      <div role="status" className="rt-outbox-said">
        {waiting > 0 && (
          <span className="rt-outbox-count" data-state={paused ? "paused" : "waiting"}>
            <Icon name="upload" />
            {(paused ? words.paused : words.waiting)(waiting)}
          </span>
        )}
        {dead.length > 0 && (
          <span className="rt-outbox-count" data-state="failed">
            <Icon name="warning" />
            {words.failed(dead.length)}
          </span>
        )}
      </div>
      {dead.length > 0 && (
        <>
          {reasons.length > 0 && (
            <p className="rt-note">
              <bdi>{reasons.join(" ")}</bdi>
            </p>
          )}
          <div className="rt-outbox-ways">
            <button
              type="button"
              className="rt-button"
              onClick={() => void retry(...dead).catch(reportError)}
            >
              {words.retry}
            </button>
            <button
              type="button"
              className="rt-button"
              onClick={() => void discard(...dead).catch(reportError)}
            >
              {words.discard}
            </button>
          </div>
        </>
      )}
    </div>
  );
}
