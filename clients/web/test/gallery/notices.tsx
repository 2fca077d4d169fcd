import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import {
  NotificationKind,
  type NotificationSchema,
  Severity,
} from "../../src/gen/shipspeak/realtime/v1/notification_pb.js";
import { toTimestamp } from "../../src/time.js";
import { NotificationBell, NotificationList } from "../../src/ui/index.js";
import type { FakeClient } from "../support/fake-client.js";
import type { Scene } from "./scenes.js";

const TOPICS = ["user/ann", "system/all"];
const MINUTE = 60_000;

/** The clock of the gallery: pictures taken on two days are the same. */
export const NOW = Date.UTC(2026, 10, 24, 9, 0);

export function notify(
  client: FakeClient,
  agoMs: number,
  value: MessageInitShape<typeof NotificationSchema>,
  topic = "user/ann",
): void {
  client.event(
    topic,
    { case: "notification", value },
    { publishedAt: create(TimestampSchema, toTimestamp(NOW - agoMs)) },
  );
}

const five = (client: FakeClient) => {
  notify(client, 4 * 24 * 60 * MINUTE, {
    kind: NotificationKind.EDUCATION,
    severity: Severity.INFO,
    title: "Three ways to open a talk",
    body: "A two-minute read, out of what you practised last week.",
    actions: [{ actionId: "read", label: "Read it", url: "/learn/openings" }],
  });
  notify(client, 26 * 60 * MINUTE, {
    kind: NotificationKind.ACHIEVEMENT,
    severity: Severity.SUCCESS,
    title: "Ten days in a row",
    body: "You have practised every day since the 14th.",
  });
  notify(client, 3 * 60 * MINUTE, {
    kind: NotificationKind.REMINDER,
    severity: Severity.INFO,
    title: "Board pitch tomorrow",
    body: "One more rehearsal?",
    startsAt: toTimestamp(NOW + 24 * 60 * MINUTE),
    actions: [
      { actionId: "go", label: "Practise now", url: "/practice" },
      { actionId: "later", label: "Tonight", url: "" },
    ],
  });
  notify(client, 42 * MINUTE, {
    kind: NotificationKind.FEATURE,
    severity: Severity.INFO,
    title: "Meetings now know who spoke",
    body: "Speakers are told apart by their voices.",
  });
  notify(client, 2 * MINUTE, {
    kind: NotificationKind.MAINTENANCE,
    severity: Severity.WARNING,
    title: "Short pause on Saturday",
    body: "Uploads wait while we move to larger machines.",
    startsAt: toTimestamp(NOW + 4 * 24 * 60 * MINUTE),
    endsAt: toTimestamp(NOW + (4 * 24 * 60 + 30) * MINUTE),
  });
  const oldest = client.eventAt("user/ann", 0);
  const about = { eventId: oldest.id, offset: oldest.offset, state: 1 };
  client.event("user/ann", { case: "receipt", value: about });
};

export const NOTICE_SCENES: readonly Scene[] = [
  {
    name: "Notifications: five kinds",
    show: () => <NotificationList topics={TOPICS} locale="en-GB" onAction={() => {}} />,
    act: five,
  },
  {
    name: "Notifications: critical",
    show: () => <NotificationList topics={TOPICS} locale="en-GB" />,
    act: (client) =>
      notify(client, MINUTE, {
        kind: NotificationKind.MAINTENANCE,
        severity: Severity.CRITICAL,
        title: "We are down for uploads",
        body: "What you have sent is safe. We are on it.",
      }),
  },
  { name: "Notifications: none", show: () => <NotificationList topics={TOPICS} /> },
  { name: "Bell: nothing new", show: () => <NotificationBell topics={TOPICS} /> },
  { name: "Bell: unread", show: () => <NotificationBell topics={TOPICS} locale="en-GB" />, act: five },
  {
    name: "Bell: open",
    show: () => <NotificationBell topics={TOPICS} locale="en-GB" />,
    act: (client, place) => {
      five(client);
      place.querySelector<HTMLElement>(".rt-bell")?.click();
    },
  },
];
