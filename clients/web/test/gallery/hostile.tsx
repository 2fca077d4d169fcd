import { RecoveryKind } from "../../src/gen/shipspeak/realtime/v1/meeting_pb.js";
import { NotificationKind, Severity } from "../../src/gen/shipspeak/realtime/v1/notification_pb.js";
import { HintLevel } from "../../src/gen/shipspeak/realtime/v1/practice_pb.js";
import {
  LiveText,
  MeetingProgress,
  NotificationList,
  PracticeFeedback,
  PresenceList,
  Toaster,
  toast,
} from "../../src/ui/index.js";
import { notify } from "./notices.js";
import type { Scene } from "./scenes.js";

export const MARKUP = `<img src=x onerror="window.hacked=1"><script>window.hacked=2</script><b>bold</b>`;
/** Turns the reading direction of what follows it around, unless it is kept apart. */
export const BIDI = "safe\u202Egnp.exe\u2066\u2067";
/** As long as the contract lets a text be, without a place to break. */
export const HUGE = `${"Loremipsumdolorsitamet".repeat(180)}${"\u0301".repeat(40)}`;
const URLS = [
  "javascript:window.hacked=3",
  "data:text/html,<script>window.hacked=4</script>",
  "//evil.example",
  "/\\evil.example",
];

/** Payloads that were written to do harm, in every component that shows what others wrote. */
export const HOSTILE_SCENES: readonly Scene[] = [MARKUP, BIDI, HUGE].flatMap((text, index): Scene[] => [
  {
    name: `Meeting ${index}`,
    show: () => <MeetingProgress meetingId="1" title={text} />,
    act: (client) => {
      const stages = [text, "b"];
      client.meeting("1", { attempt: 1, update: { case: "stageChanged", value: { stage: text, stages } } });
      const value = { stage: text, fraction: 0.5, detail: text };
      client.meeting("1", { attempt: 1, update: { case: "stageProgress", value } });
      const options = URLS.map((url) => ({ kind: RecoveryKind.UNSPECIFIED, label: text, url }));
      const failed = { code: "X", message: text, stage: text, options };
      client.meeting("1", { attempt: 1, update: { case: "failed", value: failed } });
    },
  },
  {
    name: `Practice ${index}`,
    show: () => <PracticeFeedback sessionId="1" title={text} />,
    act: (client) => {
      const say = (update: object) =>
        client.event("practice/1", { case: "practice", value: { update } } as never);
      say({ case: "hint", value: { aspect: text, text, level: HintLevel.NUDGE } });
      say({ case: "hint", value: { aspect: text, text, level: HintLevel.URGENT } });
      say({ case: "score", value: { overall: 50, dimensions: [{ dimension: text, score: 50, trend: 1 }] } });
      say({ case: "milestone", value: { milestoneId: "m", title: text, description: text, fraction: 1 } });
      say({
        case: "analytics",
        value: { figures: [{ name: text, value: 1, unit: "x", label: text, subject: text }] },
      });
    },
  },
  {
    name: `Notifications ${index}`,
    show: () => <NotificationList topics={["user/ann"]} onAction={() => {}} />,
    act: (client) =>
      notify(client, 1000, {
        kind: NotificationKind.FEATURE,
        severity: Severity.INFO,
        title: text,
        body: text,
        actions: URLS.slice(0, 3).map((url, number) => ({ actionId: String(number), label: text, url })),
      }),
  },
  {
    name: `People ${index}`,
    show: () => <PresenceList topic="meeting/1" />,
    act: (client) => {
      const member = { user: text, clientId: "1", state: "active", metadata: { name: text } } as const;
      client.present.set({ status: "live", members: [member], sessions: 1, users: 1, error: null });
    },
  },
  {
    name: `Text ${index}`,
    show: () => <LiveText label={text} lines={[{ key: "1", label: text, text }]} />,
  },
  {
    name: `Toast ${index}`,
    show: () => <Toaster />,
    act: () =>
      toast({
        id: `hostile-${index}`,
        title: text,
        body: text,
        durationMs: Number.POSITIVE_INFINITY,
      }) as never,
  },
]);
