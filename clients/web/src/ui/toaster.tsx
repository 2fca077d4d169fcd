import { type KeyboardEvent, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { Announcer } from "./announcer.js";
import { Icon, type IconName } from "./icons.js";
import { closeToast, durationOf, type Toast, type ToastTone, toasts } from "./toasts.js";

export interface ToasterTexts {
  readonly region: string;
  readonly close: (title: string) => string;
}

const TEXTS: ToasterTexts = { region: "Messages", close: (title) => `Close: ${title}` };

export interface ToasterProps {
  /** Most toasts on the screen, the newest ones; default 3. */
  readonly visible?: number;
  readonly texts?: Partial<ToasterTexts>;
}

const NONE: readonly Toast[] = [];
const ICONS: Readonly<Record<ToastTone, IconName>> = {
  info: "info",
  good: "check",
  warning: "warning",
  danger: "danger",
};

/**
 * Where toasts appear: once in a page, mounted from the start. F6 or Alt+T goes to them, Esc closes one and, behind the
 * last, returns to where one was. Their time stands still while they are pointed at, have the focus, or the page is hidden.
 */
export function Toaster({ visible = 3, texts }: ToasterProps) {
  const all = useSyncExternalStore(toasts.subscribe, toasts.getSnapshot, () => NONE);
  const shown = all.slice(-visible);
  const words = { ...TEXTS, ...texts };
  const region = useRef<HTMLElement>(null);
  const before = useRef<HTMLElement | null>(null);
  const [isHeld, setHeld] = useState(false);
  const isHidden = useHidden();
  const said = useNewest(all);

  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      const goes = event.key === "F6" || (event.altKey && event.code === "KeyT");
      const newestButton = region.current?.querySelector<HTMLElement>("li:last-child .rt-icon-button");
      if (!goes || !newestButton) return;
      event.preventDefault();
      if (!region.current?.contains(document.activeElement))
        before.current = document.activeElement as HTMLElement;
      newestButton.focus();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);

  const close = (id: string, element: HTMLElement | null) => {
    const inside = region.current?.contains(document.activeElement) ?? false;
    const next = element?.previousElementSibling ?? element?.nextElementSibling;
    const button = next?.querySelector<HTMLElement>(".rt-icon-button");
    if (inside) (button ?? before.current)?.focus();
    if (!button) setHeld(false);
    closeToast(id);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    const item = (event.target as HTMLElement).closest<HTMLElement>("[data-toast]");
    const id = item?.dataset["toast"];
    if (id === undefined) return;
    event.stopPropagation();
    close(id, item);
  };
  return (
    <section
      className="rt-toaster"
      aria-label={words.region}
      ref={region}
      onKeyDown={onKeyDown}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <ol className="rt-toasts">
        {shown.map((one) => (
          <ToastItem
            key={one.id}
            toast={one}
            isHeld={isHeld || isHidden}
            label={words.close(one.title)}
            onClose={close}
          />
        ))}
      </ol>
      <Announcer
        text={said ? [said.title, said.body].filter(Boolean).join(" ") : ""}
        urgent={said?.tone === "danger"}
      />
    </section>
  );
}

interface ToastItemProps {
  readonly toast: Toast;
  readonly isHeld: boolean;
  readonly label: string;
  readonly onClose: (id: string, element: HTMLElement | null) => void;
}

function ToastItem({ toast, isHeld, label, onClose }: ToastItemProps) {
  const { id, title, body, tone = "info", action } = toast;
  const item = useRef<HTMLLIElement>(null);
  const left = useRef(durationOf(toast));
  const close = useRef(onClose);
  useEffect(() => {
    close.current = onClose;
  });
  useEffect(() => {
    if (isHeld || left.current === Number.POSITIVE_INFINITY) return;
    const began = Date.now();
    const timer = setTimeout(() => close.current(id, item.current), left.current);
    return () => {
      clearTimeout(timer);
      left.current = Math.max(1000, left.current - (Date.now() - began));
    };
  }, [id, isHeld]);
  return (
    <li className="rt-toast" data-tone={tone} data-toast={id} ref={item}>
      <Icon name={ICONS[tone]} />
      <div className="rt-toast-words">
        <p className="rt-toast-title" dir="auto">
          {title}
        </p>
        {body && (
          <p className="rt-toast-body" dir="auto">
            {body}
          </p>
        )}
        {action && (
          <button type="button" className="rt-link-button" onClick={action.onClick}>
            {action.label}
          </button>
        )}
      </div>
      <button
        type="button"
        className="rt-icon-button"
        aria-label={label}
        onClick={() => onClose(id, item.current)}
      >
        <Icon name="close" />
      </button>
    </li>
  );
}

/** The toast that was added last, though it may be gone: behind it, none of the older ones is news again. */
function useNewest(all: readonly Toast[]): Toast | undefined {
  const seen = useRef(new Set<string>());
  const [said, setSaid] = useState<Toast | undefined>(undefined);
  useEffect(() => {
    const news = all.filter((one) => !seen.current.has(one.id));
    seen.current = new Set(all.map((one) => one.id));
    const newest = news.at(-1);
    if (newest) setSaid(newest);
  }, [all]);
  return said;
}

function useHidden(): boolean {
  return useSyncExternalStore(
    (changed) => {
      document.addEventListener("visibilitychange", changed);
      return () => document.removeEventListener("visibilitychange", changed);
    },
    () => document.visibilityState === "hidden",
    () => false,
  );
}
