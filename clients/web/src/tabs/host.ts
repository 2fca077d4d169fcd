/** What becomes of the page: put away (closed, frozen, in the back/forward cache), back again, seen, or not seen. */
export type PageNews = "left" | "returned" | "visible" | "hidden";

/** The part of BroadcastChannel that tabs use. */
export interface Channel {
  post(message: unknown): void;
  close(): void;
}

/** What tabs take from the browser; tests bring their own. */
export interface TabsHost {
  readonly locks: LockManager;
  openChannel(name: string, receive: (data: unknown) => void): Channel;
  hidden(): boolean;
  onPage(listener: (news: PageNews) => void): () => void;
  /** A leader that says nothing for this long after it was asked is gone or frozen; milliseconds. */
  readonly answerMs: number;
  /** How long a follower overlooks that the leader has no connection; milliseconds. */
  readonly graceMs: number;
}

/** The browser; null where it has no locks or channels (old ones, opaque origins, servers). */
export function browserTabsHost(): TabsHost | null {
  const locks = globalThis.navigator?.locks;
  if (!locks || typeof BroadcastChannel !== "function" || typeof document === "undefined") return null;
  return {
    locks,
    openChannel,
    hidden: () => document.visibilityState === "hidden",
    onPage,
    answerMs: 1500,
    graceMs: 1000,
  };
}

export function openChannel(name: string, receive: (data: unknown) => void): Channel {
  const channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }) => receive(data);
  return { post: (message) => channel.postMessage(message), close: () => channel.close() };
}

function onPage(listener: (news: PageNews) => void): () => void {
  const stop = new AbortController();
  const options = { signal: stop.signal };
  window.addEventListener("pagehide", () => listener("left"), options);
  window.addEventListener("pageshow", ({ persisted }) => persisted && listener("returned"), options);
  document.addEventListener("freeze", () => listener("left"), options);
  document.addEventListener("resume", () => listener("returned"), options);
  document.addEventListener("visibilitychange", () => listener(document.visibilityState), options);
  return () => stop.abort();
}
