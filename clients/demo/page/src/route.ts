import { useSyncExternalStore } from "react";

/** The meeting that the address names: `#meeting=ID`. */
function meetingOfHash(): string | null {
  return new URLSearchParams(location.hash.slice(1)).get("meeting");
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}

export function useMeetingId(): string | null {
  return useSyncExternalStore(subscribe, meetingOfHash);
}

export function hashOf(id: string): string {
  return `#meeting=${encodeURIComponent(id)}`;
}

export function openMeeting(id: string): void {
  location.hash = hashOf(id);
}
