import "../../src/ui/ui.css";
import type { ReactNode } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import {
  RealtimeProvider,
  useEvents,
  useLatest,
  useOutbox,
  usePublish,
  useSavedState,
  useTabRole,
  useTopic,
  useTopicState,
} from "../../src/react/index.js";
import {
  ConnectionBanner,
  ConnectionDot,
  MeetingProgress,
  NotificationBell,
  NotificationToasts,
  OutboxBadge,
  PracticeFeedback,
  PresenceList,
  Toaster,
} from "../../src/ui/index.js";
import { FakeClient } from "../support/fake-client.js";

// What the tests of leaks and of load call. The client is a stand-in: what is measured is hooks and components.
const client = new FakeClient();
const place = document.getElementById("root") as HTMLElement;
const news = (bytes: number) =>
  ({
    case: "meeting",
    value: { attempt: 1, update: { case: "upload", value: { sentBytes: BigInt(bytes) } } },
  }) as const;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function Everything() {
  useTopic("meeting/2");
  useEvents("meeting/2");
  useLatest("meeting/2", "meeting");
  useTopicState("meeting/2", (sum: number) => sum + 1, 0);
  usePublish("meeting/2", { optimistic: true });
  useOutbox();
  useTabRole();
  useSavedState("meeting/2", { initial: 0, version: 1, reduce: (sum: number) => sum + 1 });
  return (
    <>
      <ConnectionBanner />
      <ConnectionDot />
      <MeetingProgress meetingId="1" />
      <PracticeFeedback sessionId="1" />
      <NotificationBell topics={["user/ann"]} />
      <NotificationToasts topics={["user/ann"]} />
      <PresenceList topic="meeting/1" />
      <OutboxBadge />
      <Toaster />
    </>
  );
}

function mount(children: ReactNode): () => void {
  const root = createRoot(place);
  flushSync(() => root.render(<RealtimeProvider client={client}>{children}</RealtimeProvider>));
  return () => root.unmount();
}

/** Mounts and unmounts everything, `cycles` times, with an event in each; gives what is left of subscriptions. */
async function churn(cycles: number): Promise<number> {
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    const unmount = mount(<Everything />);
    flushSync(() => client.event("meeting/2", news(cycle)));
    unmount();
    client.forget();
    if (cycle % 25 === 24) await pause(0);
  }
  await pause(1500); // what lingers a second is gone
  return [...client.listeners.values()].reduce((sum, one) => sum + one.size, 0);
}

function One({ number }: { number: number }) {
  const sent = useLatest("meeting/2", (event) => {
    const payload = event.content?.payload;
    return payload?.case === "meeting" && payload.value.update.case === "upload"
      ? payload.value.update.value.sentBytes
      : undefined;
  });
  return <p>{`${number}: ${sent ?? "-"}`}</p>;
}

/**
 * Milliseconds of script in each frame over `ms`, with 200 mounted hooks and `perSecond` events a second: what handing
 * the events over took since the frame before, and the frame's callbacks with all that they queue. Painting is not in it.
 */
async function load(perSecond: number, ms: number): Promise<number[]> {
  const unmount = mount(
    Array.from({ length: 200 }, (_, number) => <One key={String(number)} number={number} />),
  );
  await pause(500);
  const frames: number[] = [];
  let handing = 0;
  let start = 0;
  let sent = 0;
  let ends = false;
  const end = () => {
    ends = false;
    frames.push(handing + performance.now() - start);
    handing = 0;
  };
  const began = performance.now();
  const timer = setInterval(() => {
    const from = performance.now();
    const due = Math.floor(((from - began) / 1000) * perSecond);
    while (sent < due) {
      sent += 1;
      client.event("meeting/2", news(sent));
    }
    client.forget();
    handing += performance.now() - from;
    // Behind the hooks' callback, which the events have asked for; the one at the start was asked for in the last frame.
    if (!ends) requestAnimationFrame(end);
    ends = true;
  }, 4);
  await new Promise<void>((resolve) => {
    const begin = () => {
      start = performance.now();
      if (start - began < ms) requestAnimationFrame(begin);
      else resolve();
    };
    requestAnimationFrame(begin);
  });
  clearInterval(timer);
  unmount();
  return frames;
}

Object.assign(window, { churn, load, ready: true });
