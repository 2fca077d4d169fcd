import { useId } from "react";
import type { Notice, NoticeAction, NoticeKind } from "../notifications/state.js";
import { formatAgo, formatWhen } from "./format.js";
import { Icon, KIND_ICONS } from "./icons.js";
import { safeHref } from "./safe-href.js";

export interface NotificationTexts {
  readonly kinds: Readonly<Record<NoticeKind, string>>;
  readonly unread: string;
  readonly dismiss: (title: string) => string;
}

export const NOTIFICATION_TEXTS: NotificationTexts = {
  kinds: {
    maintenance: "Maintenance",
    feature: "New feature",
    reminder: "Reminder",
    achievement: "Achievement",
    education: "Worth learning",
    other: "Notice",
  },
  unread: "Unread",
  dismiss: (title) => `Put away: ${title}`,
};

export interface NotificationItemProps {
  readonly notice: Notice;
  /** Milliseconds since 1970; what "2 hours ago" is counted from. */
  readonly now: number;
  readonly onDismiss?: () => void;
  readonly onAction?: (action: NoticeAction) => void;
  readonly texts?: NotificationTexts;
  readonly locale?: string | undefined;
}

/** One notification in the looks of its kind. All of its words are shown as plain text. */
export function NotificationItem({
  notice,
  now,
  onDismiss,
  onAction,
  texts = NOTIFICATION_TEXTS,
  locale,
}: NotificationItemProps) {
  const title = useId();
  const { kind, severity, read, publishedAt, startsAt, endsAt } = notice;
  const when = formatWhen(startsAt, endsAt, locale);
  return (
    <article
      className="rt-notice"
      aria-labelledby={title}
      data-kind={kind}
      data-severity={severity}
      data-read={read}
    >
      <span className="rt-notice-icon">
        <Icon name={KIND_ICONS[kind]} />
      </span>
      <div className="rt-notice-words">
        <p className="rt-notice-meta">
          <span className="rt-notice-kind">{texts.kinds[kind]}</span>
          {publishedAt !== null && (
            <time dateTime={new Date(publishedAt).toISOString()}>{formatAgo(publishedAt, now, locale)}</time>
          )}
          {!read && <span className="rt-notice-unread">{texts.unread}</span>}
        </p>
        <p className="rt-notice-title" id={title} dir="auto">
          {notice.title}
        </p>
        {notice.body && (
          <p className="rt-notice-body" dir="auto">
            {notice.body}
          </p>
        )}
        {when && <p className="rt-notice-when">{when}</p>}
        {notice.actions.length > 0 && (
          <p className="rt-notice-actions">
            {notice.actions.map((action) => (
              <Action key={action.id} action={action} onAction={onAction} />
            ))}
          </p>
        )}
      </div>
      {onDismiss && (
        <button
          type="button"
          className="rt-icon-button"
          aria-label={texts.dismiss(notice.title)}
          onClick={onDismiss}
        >
          <Icon name="close" />
        </button>
      )}
    </article>
  );
}

interface ActionProps {
  readonly action: NoticeAction;
  readonly onAction: ((action: NoticeAction) => void) | undefined;
}

/** A link where it leads somewhere that is safe, else a button; one that would do nothing is left out. */
function Action({ action, onAction }: ActionProps) {
  const href = safeHref(action.url);
  if (href !== undefined) {
    return (
      <a className="rt-button" href={href} rel="noreferrer" onClick={() => onAction?.(action)}>
        {action.label}
      </a>
    );
  }
  if (!onAction || action.url !== "") return null;
  return (
    <button type="button" className="rt-button" onClick={() => onAction(action)}>
      {action.label}
    </button>
  );
}
