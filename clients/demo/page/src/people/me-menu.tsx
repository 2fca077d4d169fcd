import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { streakWords } from "../progress/progress-card.js";
import { useProgress } from "../progress/use-progress.js";
import { useMe, useServices } from "../services.js";
import { Avatar } from "./avatar.js";

/** Who is signed in; opens to how far one has come, and the way out. */
export function MeMenu() {
  const { account } = useServices();
  const me = useMe();
  const progress = useProgress();
  const [isOpen, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    const onPointer = ({ target }: PointerEvent) => {
      if (target instanceof Node && !place.current?.contains(target)) setOpen(false);
    };
    document.addEventListener("pointerdown", onPointer);
    return () => document.removeEventListener("pointerdown", onPointer);
  }, [isOpen]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !isOpen) return;
    setOpen(false);
    button.current?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it hears the Esc of what lies in it
    <div className="me" ref={place} onKeyDown={onKeyDown}>
      <button
        type="button"
        className="me-button"
        data-me={me.id}
        aria-expanded={isOpen}
        ref={button}
        onClick={() => setOpen(!isOpen)}
      >
        <Avatar name={me.name} />
        <span className="me-name">{me.name}</span>
      </button>
      {isOpen && (
        <div className="me-panel">
          <p>
            <strong>{me.name}</strong>
            <span className="soft">{me.role}</span>
          </p>
          {progress && (
            <p className="soft">
              Level {progress.level}, {streakWords(progress.streak).toLowerCase()}
            </p>
          )}
          <button type="button" className="rt-button" data-sign-out onClick={() => void account.signOut()}>
            Sign out everywhere
          </button>
        </div>
      )}
    </div>
  );
}
