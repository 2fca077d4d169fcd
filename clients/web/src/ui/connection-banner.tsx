import { useEffect, useState } from "react";
import type { ConnectionSnapshot } from "../connection/snapshot.js";
import { useRealtime } from "../react/provider.js";
import { useConnection } from "../react/use-connection.js";
import { Announcer } from "./announcer.js";

type Tone = "calm" | "warning" | "danger";

interface Notice {
  readonly tone: Tone;
  readonly title: string;
  readonly text: string;
  /** A person can do something about it now. */
  readonly action: string | null;
}

export interface ConnectionBannerProps {
  /** Called for "Sign in again"; by default the token is simply asked for again. */
  readonly onSignIn?: () => void;
}

/** Says honestly when news do not come at once, and nothing otherwise. Losses under 5 s stay unmentioned. */
export function ConnectionBanner({ onSignIn }: ConnectionBannerProps) {
  const client = useRealtime();
  const snapshot = useConnection();
  const seconds = useSecondsUntil(snapshot.retryAt);
  const notice = noticeOf(snapshot);
  const { gaps, resets } = snapshot.counters;
  const restored = useRestored(notice?.tone === "danger", snapshot.phase === "live", gaps + resets);
  const act = snapshot.phase === "needs-auth" && onSignIn ? onSignIn : () => client.retryNow();
  return (
    <div className="rt-banner-place">
      {notice && (
        <div className="rt-banner" data-tone={notice.tone} data-phase={snapshot.phase}>
          <span className="rt-banner-mark" aria-hidden="true" />
          <p className="rt-banner-text">
            <strong>{notice.title}</strong> {notice.text}
            {seconds !== null && <span className="rt-banner-count"> Next try in {seconds} s.</span>}
          </p>
          {notice.action && (
            <button type="button" className="rt-button" onClick={act}>
              {notice.action}
            </button>
          )}
        </div>
      )}
      <Announcer
        text={restored || (notice ? `${notice.title} ${notice.text}` : "")}
        urgent={!restored && notice?.tone === "danger"}
      />
    </div>
  );
}

function noticeOf(snapshot: ConnectionSnapshot): Notice | null {
  switch (snapshot.phase) {
    case "needs-auth":
      return {
        tone: "danger",
        title: "Signed out.",
        text: "Sign in again to see news.",
        action: "Sign in again",
      };
    case "failed":
      return {
        tone: "danger",
        title: "Live news are not available.",
        text: snapshot.error?.message ?? "",
        action: "Try again",
      };
    case "offline":
      return {
        tone: "danger",
        title: "You are offline.",
        text: "What you see may be old. It catches up by itself.",
        action: "Try now",
      };
    case "live":
      return snapshot.transport === "longpoll" || snapshot.transport === "poll"
        ? {
            tone: "calm",
            title: "On the slow lane.",
            text: "This network holds streams back; news come by polling.",
            action: null,
          }
        : null;
    default:
      if (snapshot.quality !== "down" || snapshot.lostSince === null) return null;
      return {
        tone: "danger",
        title: "Connection lost.",
        text: "What you see may be old. It catches up by itself.",
        action: "Try now",
      };
  }
}

/** What to say from the moment a mentioned loss is over until the next one; `told` counts what the hub said is gone. */
function useRestored(isDown: boolean, isLive: boolean, told: number): string {
  const [toldBefore, setToldBefore] = useState<number | null>(null);
  const [text, setText] = useState("");
  useEffect(() => {
    if (isDown) {
      setToldBefore((before) => before ?? told);
      setText("");
    } else if (isLive && toldBefore !== null) {
      // Topics without history keep nothing of a loss, so that nothing was missed is never certain.
      const gone = told > toldBefore ? " Some of what came meanwhile is no longer kept." : "";
      setText(`Live again.${gone}`);
      setToldBefore(null);
    }
  }, [isDown, isLive, told, toldBefore]);
  return isLive ? text : "";
}

/** Whole seconds until a moment, counted down; null when there is none. */
function useSecondsUntil(at: number | null): number | null {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (at === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [at]);
  return at === null ? null : Math.max(0, Math.ceil((at - now) / 1000));
}
