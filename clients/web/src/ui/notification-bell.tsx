import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { useNotifications } from "../react/use-notifications.js";
import { Announcer } from "./announcer.js";
import { Icon } from "./icons.js";
import {
  NOTIFICATION_LIST_TEXTS,
  NotificationList,
  type NotificationListProps,
} from "./notification-list.js";

export interface NotificationBellProps extends NotificationListProps {
  /** What the button says, and what is read aloud when more come. */
  readonly unreadText?: (count: number) => string;
}

const unreadWords = (count: number) =>
  count === 0
    ? "No unread notifications"
    : count === 1
      ? "1 unread notification"
      : `${count} unread notifications`;

/** A bell with the count of what is unread; opens the list. Esc closes it, and the focus returns to the bell. */
export function NotificationBell({ unreadText = unreadWords, ...list }: NotificationBellProps) {
  const { unread } = useNotifications(list.topics, list.filter ? { filter: list.filter } : {});
  const [isOpen, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const id = useId();

  useEffect(() => {
    if (!isOpen) return;
    panel.current?.focus();
    const onPointer = ({ target }: PointerEvent) => {
      if (target instanceof Node && !place.current?.contains(target)) setOpen(false);
    };
    document.addEventListener("pointerdown", onPointer);
    return () => document.removeEventListener("pointerdown", onPointer);
  }, [isOpen]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !isOpen) return;
    event.stopPropagation();
    setOpen(false);
    button.current?.focus();
  };
  const title = list.texts?.title ?? NOTIFICATION_LIST_TEXTS.title;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it hears the Esc of what lies in it
    <div className="rt-bell-place" ref={place} onKeyDown={onKeyDown}>
      <button
        type="button"
        className="rt-bell"
        ref={button}
        aria-label={`${title}: ${unreadText(unread)}`}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="bell" />
        {unread > 0 && (
          <span className="rt-count" aria-hidden="true">
            {unread > 99 ? "99+" : unread}
          </span>
        )}
      </button>
      {isOpen && (
        <div className="rt-panel" role="dialog" id={id} aria-label={title} tabIndex={-1} ref={panel}>
          <NotificationList {...list} />
        </div>
      )}
      <Announcer text={unread > 0 ? unreadText(unread) : ""} />
    </div>
  );
}
