import { renderToString } from "react-dom/server";
import { expect, test } from "vitest";
import { RealtimeProvider } from "../src/react/index.js";
import {
  ConnectionBanner,
  ConnectionDot,
  LiveText,
  MeetingProgress,
  NotificationBell,
  NotificationList,
  NotificationToasts,
  OutboxBadge,
  PracticeFeedback,
  PresenceList,
  ProgressBar,
  RealtimeErrorBoundary,
  Toaster,
} from "../src/ui/index.js";
import { FakeClient } from "./support/fake-client.js";

test("K1: every component renders on a server, where there is no page, and touches no connection", () => {
  expect(typeof window).toBe("undefined");
  const client = new FakeClient();
  const html = renderToString(
    <RealtimeProvider client={() => client}>
      <ConnectionBanner />
      <ConnectionDot />
      <ProgressBar value={0.5} label="Export" />
      <MeetingProgress meetingId="1" />
      <PracticeFeedback sessionId="1" />
      <LiveText label="Transcript" lines={[{ key: "1", text: "hello" }]} />
      <NotificationBell topics={["user/ann"]} />
      <NotificationList topics={["user/ann"]} />
      <NotificationToasts topics={["user/ann"]} />
      <PresenceList topic="meeting/1" />
      <OutboxBadge />
      <Toaster />
      <RealtimeErrorBoundary>whole</RealtimeErrorBoundary>
    </RealtimeProvider>,
  );
  for (const word of ["Not started", "Ready when you are", "hello", "All caught up", "whole"])
    expect(html).toContain(word);
  expect(client.calls).toEqual([]);
  expect(client.listeners.size).toBe(0);
});
