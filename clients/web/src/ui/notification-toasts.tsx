import { useEffect } from "react";
import { noticeFrom } from "../notifications/reducer.js";
import type { Notice, NoticeSeverity } from "../notifications/state.js";
import { useRealtime } from "../react/provider.js";
import { type ToastTone, toast } from "./toasts.js";

const TONES: Readonly<Record<NoticeSeverity, ToastTone>> = {
  info: "info",
  success: "good",
  warning: "warning",
  critical: "danger",
};

export interface NotificationToastsProps {
  /** Whose notifications appear as toasts, such as `["user/ann", "system/all"]`. */
  readonly topics: readonly string[];
}

function show({ key, title, body, severity }: Notice): void {
  toast({ id: key, title, body, tone: TONES[severity] });
}

/**
 * Shows a toast for each notification that comes while it is mounted, in one of all tabs that share their storage.
 * Renders nothing itself: a `<Toaster>` does.
 */
export function NotificationToasts({ topics }: NotificationToastsProps) {
  const client = useRealtime();
  const names = topics.join("\n");
  useEffect(() => {
    const stops = names.split("\n").map((topic) =>
      client.topic(topic).subscribe({
        onEvent: (event) => {
          const notice = noticeFrom(event, topic);
          if (!notice) return;
          // By the event, not by the notice's key: a later event with the same key is news again.
          client.claim(`toast ${topic} ${event.id}`).then(
            (isMine) => isMine && show(notice),
            () => show(notice),
          );
        },
      }),
    );
    return () => {
      for (const stop of stops) stop();
    };
  }, [client, names]);
  return null;
}
