import { useEffect, useRef, useState } from "react";
import type { Notice, NoticeAction } from "../notifications/state.js";
import { useNotifications } from "../react/use-notifications.js";
import { Icon } from "./icons.js";
import { NOTIFICATION_TEXTS, NotificationItem, type NotificationTexts } from "./notification-item.js";

export interface NotificationListTexts extends NotificationTexts {
  readonly title: string;
  readonly readAll: string;
  readonly empty: string;
  readonly emptyText: string;
  readonly notSaved: string;
}

export const NOTIFICATION_LIST_TEXTS: NotificationListTexts = {
  ...NOTIFICATION_TEXTS,
  title: "Notifications",
  readAll: "Mark all as read",
  empty: "All caught up",
  emptyText: "What is new for you appears here.",
  notSaved: "That could not be saved. Try again in a moment.",
};

export interface NotificationListProps {
  /** Where they come from, such as `["user/ann", "system/all"]`. */
  readonly topics: readonly string[];
  readonly filter?: (notice: Notice) => boolean;
  /** Called when a person uses an action; links are followed as well. */
  readonly onAction?: (action: NoticeAction, notice: Notice) => void;
  /** Rank of the heading; default 2. */
  readonly headingLevel?: 1 | 2 | 3 | 4;
  readonly texts?: Partial<NotificationListTexts>;
  readonly locale?: string;
}

/** All notifications of a person, newest first. What is read or put away here is so on every device. */
export function NotificationList({
  topics,
  filter,
  onAction,
  headingLevel = 2,
  texts,
  locale,
}: NotificationListProps) {
  const { items, unread, error, markRead, dismiss } = useNotifications(topics, filter ? { filter } : {});
  const [failed, setFailed] = useState(false);
  const list = useRef<HTMLUListElement>(null);
  const now = useMinutes();
  const words = { ...NOTIFICATION_LIST_TEXTS, ...texts };
  const Heading = `h${headingLevel}` as const;
  const say = (done: Promise<void>) => {
    done.then(
      () => setFailed(false),
      () => setFailed(true),
    );
  };
  const putAway = (notice: Notice, index: number) => {
    // The button that was pressed goes away with its notice; the keyboard goes on with the one after it.
    const buttons = list.current?.querySelectorAll<HTMLElement>(".rt-icon-button") ?? [];
    (buttons[index + 1] ?? buttons[index - 1] ?? list.current)?.focus();
    say(dismiss(notice));
  };
  return (
    <div className="rt-notices">
      <header className="rt-notices-head">
        <Heading className="rt-title rt-title-small">{words.title}</Heading>
        {unread > 0 && (
          <button
            type="button"
            className="rt-link-button"
            onClick={() => say(markRead(...items.filter((one) => !one.read)))}
          >
            {words.readAll}
          </button>
        )}
      </header>
      {error && <p className="rt-failure">{error.message}</p>}
      <p className="rt-notices-failed" role="alert">
        {failed ? words.notSaved : ""}
      </p>
      {items.length === 0 && !error ? (
        <div className="rt-empty">
          <Icon name="bell" />
          <strong>{words.empty}</strong>
          <span>{words.emptyText}</span>
        </div>
      ) : (
        <ul className="rt-notices-list" ref={list} tabIndex={-1}>
          {items.map((notice, index) => (
            <li key={notice.key}>
              <NotificationItem
                notice={notice}
                now={now}
                texts={words}
                locale={locale}
                onDismiss={() => putAway(notice, index)}
                onAction={(action) => {
                  if (!notice.read) say(markRead(notice));
                  onAction?.(action, notice);
                }}
              />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** The time, new each minute. */
function useMinutes(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 60_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
