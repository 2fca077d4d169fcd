/** What a notification is about; `other` = a kind of a later version. */
export type NoticeKind = "maintenance" | "feature" | "reminder" | "achievement" | "education" | "other";
export type NoticeSeverity = "info" | "success" | "warning" | "critical";

export interface NoticeAction {
  readonly id: string;
  readonly label: string;
  /** http(s) address or a path of the page's own site; empty = the use is only reported. */
  readonly url: string;
}

/** One notification, as a person sees it. */
export interface Notice {
  /** Names it among all of its topics. */
  readonly key: string;
  readonly topic: string;
  readonly id: string;
  readonly offset: bigint;
  readonly kind: NoticeKind;
  readonly severity: NoticeSeverity;
  readonly title: string;
  readonly body: string;
  readonly actions: readonly NoticeAction[];
  /** Milliseconds since 1970; null = not said. */
  readonly publishedAt: number | null;
  readonly startsAt: number | null;
  readonly endsAt: number | null;
  /** Not to be shown any more from then on. */
  readonly expiresAt: number | null;
  readonly read: boolean;
}

/** What is known of a person's notifications. Immutable; a new object for each change. */
export interface NotificationsState {
  /** Newest first; without those that were put away or withdrawn. At most NOTICES_KEPT. */
  readonly items: readonly Notice[];
  /** Those of `items` that were not read. */
  readonly unread: number;
  /** Receipts by the key of what they are about: they may come before it, from another topic. */
  readonly receipts: ReadonlyMap<string, ReceiptWord>;
}

export type ReceiptWord = "read" | "gone";

export const NOTICES_KEPT = 500;

export const NO_NOTIFICATIONS: NotificationsState = Object.freeze({
  items: Object.freeze([]),
  unread: 0,
  receipts: new Map<string, ReceiptWord>(),
});
