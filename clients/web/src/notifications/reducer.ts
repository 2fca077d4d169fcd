import type * as pb from "../gen/shipspeak/realtime/v1/event_pb.js";
import {
  type Notification,
  NotificationKind,
  ReceiptState,
  type ReceiptUpdate,
  Severity,
} from "../gen/shipspeak/realtime/v1/notification_pb.js";
import { timestampMs } from "../time.js";
import {
  NOTICES_KEPT,
  type Notice,
  type NoticeKind,
  type NoticeSeverity,
  type NotificationsState,
  type ReceiptWord,
} from "./state.js";

const KINDS: Readonly<Partial<Record<NotificationKind, NoticeKind>>> = {
  [NotificationKind.MAINTENANCE]: "maintenance",
  [NotificationKind.FEATURE]: "feature",
  [NotificationKind.REMINDER]: "reminder",
  [NotificationKind.ACHIEVEMENT]: "achievement",
  [NotificationKind.EDUCATION]: "education",
};
const SEVERITIES: Readonly<Partial<Record<Severity, NoticeSeverity>>> = {
  [Severity.SUCCESS]: "success",
  [Severity.WARNING]: "warning",
  [Severity.CRITICAL]: "critical",
};

/** The state after one more event of a topic; pure. Takes notifications and receipts, whichever comes first. */
export function notificationsReducer(
  state: NotificationsState,
  event: pb.Event,
  topic: string,
): NotificationsState {
  const notice = noticeFrom(event, topic);
  if (notice) return withNotice(state, notice);
  const payload = event.content?.payload;
  if (payload?.case === "receipt") return withReceipt(state, payload.value, topic);
  return state;
}

/** The notification that an event carries; null = it carries something else. */
export function noticeFrom(event: pb.Event, topic: string): Notice | null {
  const payload = event.content?.payload;
  return payload?.case === "notification" ? noticeOf(event, payload.value, topic) : null;
}

/** What a receipt says, applied to the notifications that `keys` name. A word is never taken back: gone stays gone. */
export function withWords(
  state: NotificationsState,
  keys: readonly string[],
  word: ReceiptWord,
): NotificationsState {
  const news = keys.filter((key) => state.receipts.get(key) !== word && state.receipts.get(key) !== "gone");
  if (news.length === 0) return state;
  const receipts = new Map(state.receipts);
  for (const key of news) receipts.set(key, word);
  return counted({ ...state, receipts, items: shown(state.items, receipts) });
}

/** Without what has come from a topic. */
export function withoutTopic(state: NotificationsState, topic: string): NotificationsState {
  return counted({ ...state, items: state.items.filter((one) => one.topic !== topic) });
}

export function keyOf(topic: string, offset: bigint): string {
  return `${topic} ${offset}`;
}

function withNotice(state: NotificationsState, notice: Notice): NotificationsState {
  if (state.items.some((one) => one.key === notice.key)) return state;
  const items = shown([notice, ...state.items], state.receipts);
  items.sort((a, b) => (b.publishedAt ?? 0) - (a.publishedAt ?? 0));
  return counted({ ...state, items: items.slice(0, NOTICES_KEPT) });
}

function withReceipt(state: NotificationsState, receipt: ReceiptUpdate, topic: string): NotificationsState {
  const word = receipt.state === ReceiptState.READ ? "read" : "gone";
  return withWords(state, [keyOf(receipt.topic || topic, receipt.offset)], word);
}

function shown(items: readonly Notice[], receipts: NotificationsState["receipts"]): Notice[] {
  return items
    .filter((one) => receipts.get(one.key) !== "gone")
    .map((one) => (one.read || receipts.get(one.key) !== "read" ? one : { ...one, read: true }));
}

function counted(state: NotificationsState): NotificationsState {
  return { ...state, unread: state.items.filter((one) => !one.read).length };
}

function noticeOf(event: pb.Event, message: Notification, topic: string): Notice {
  return {
    key: keyOf(topic, event.offset),
    topic,
    id: event.id,
    offset: event.offset,
    kind: KINDS[message.kind] ?? "other",
    severity: SEVERITIES[message.severity] ?? "info",
    title: message.title,
    body: message.body,
    actions: message.actions.map(({ actionId: id, label, url }) => ({ id, label, url })),
    publishedAt: timestampMs(event.publishedAt),
    startsAt: timestampMs(message.startsAt),
    endsAt: timestampMs(message.endsAt),
    expiresAt: timestampMs(event.expiresAt),
    read: false,
  };
}
