// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import axe from "axe-core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { RealtimeError } from "../../src/errors.js";
import { RecoveryKind } from "../../src/gen/shipspeak/realtime/v1/meeting_pb.js";
import { RealtimeProvider } from "../../src/react/provider.js";
import { ConnectionBanner } from "../../src/ui/connection-banner.js";
import { formatBytes, formatLeft, formatName } from "../../src/ui/format.js";
import { MeetingProgress, type MeetingProgressProps } from "../../src/ui/meeting-progress.js";
import { FakeClient } from "../support/fake-client.js";

let client: FakeClient;

beforeEach(() => {
  vi.useFakeTimers();
  client = new FakeClient();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

function showMeeting(props: Partial<MeetingProgressProps> = {}) {
  return render(
    <RealtimeProvider client={client}>
      <MeetingProgress meetingId="1" title="Weekly review" {...props} />
    </RealtimeProvider>,
  );
}

function showBanner(onSignIn?: () => void) {
  return render(
    <RealtimeProvider client={client}>
      <ConnectionBanner {...(onSignIn ? { onSignIn } : {})} />
    </RealtimeProvider>,
  );
}

/** What the two live regions hold after the pause that keeps announcements apart. */
function announced(role: "status" | "alert"): string {
  act(() => void vi.advanceTimersByTime(1000));
  return screen
    .getAllByRole(role)
    .map((one) => one.textContent)
    .join("");
}

async function expectAccessible(container: Element): Promise<void> {
  vi.useRealTimers();
  const { violations } = await axe.run(container, { rules: { "color-contrast": { enabled: false } } });
  expect(violations.map((one) => one.id)).toEqual([]);
}

const stageOf = (stage: string) => ({
  case: "stageChanged" as const,
  value: { stage, stages: ["parse", "pace"] },
});
const progressOf = (fraction: number) => ({
  case: "stageProgress" as const,
  value: { stage: "parse", fraction, eta: { seconds: 90n } },
});

describe("MeetingProgress", () => {
  test("has its live regions in the page, empty, before anything happens", () => {
    showMeeting();
    expect(screen.getByRole("status").textContent).toBe("");
    expect(screen.getByRole("alert").textContent).toBe("");
  });

  test("is an indeterminate progress bar until the first news", () => {
    showMeeting();
    const bar = screen.getByRole("progressbar", { name: "Weekly review" });
    expect(bar.hasAttribute("aria-valuenow")).toBe(false);
    expect(bar.getAttribute("aria-valuetext")).toBe("Waiting for the first news");
  });

  test("shows value, stages and time left", async () => {
    const { container } = showMeeting();
    act(() => client.meeting("1", { attempt: 1, update: stageOf("parse") }));
    act(() => client.meeting("1", { attempt: 1, update: progressOf(0.5) }));
    const bar = screen.getByRole("progressbar");
    expect(bar.getAttribute("aria-valuenow")).toBe("25");
    expect(bar.getAttribute("aria-valuetext")).toBe("25 %, Parse");
    expect(container.querySelector('[aria-current="step"]')?.textContent).toContain("Parse: in progress");
    expect(container.textContent).toContain("about 2 min left");
    await expectAccessible(container);
  });

  test("announces stages and quarters, not every percent", () => {
    showMeeting();
    act(() => client.meeting("1", { attempt: 1, update: stageOf("parse") }));
    expect(announced("status")).toBe("Weekly review: Parse, 0 %");
    act(() => client.meeting("1", { attempt: 1, update: progressOf(0.3) }));
    expect(announced("status")).toBe("Weekly review: Parse, 0 %");
    act(() => client.meeting("1", { attempt: 1, update: progressOf(0.6) }));
    expect(announced("status")).toBe("Weekly review: Parse, 25 %");
  });

  test("tells a failure at once and offers its ways out", async () => {
    const onRecover = vi.fn();
    const { container } = showMeeting({ onRecover });
    const options = [
      { kind: RecoveryKind.RETRY_STAGE, label: "Retry this stage", url: "/retry" },
      { kind: RecoveryKind.CONTACT_SUPPORT, label: "Ask for help", url: "/help" },
    ];
    const value = { code: "BROKEN", message: "Line 4 has no time.", stage: "parse", options };
    act(() => client.meeting("1", { attempt: 1, update: stageOf("parse") }));
    act(() => client.meeting("1", { attempt: 1, update: { case: "failed", value } }));
    expect(announced("alert")).toContain("Line 4 has no time.");
    fireEvent.click(screen.getByRole("button", { name: "Retry this stage" }));
    expect(onRecover).toHaveBeenCalledWith(expect.objectContaining({ kind: RecoveryKind.RETRY_STAGE }));
    expect(screen.getByRole("link", { name: "Ask for help" }).getAttribute("href")).toBe("/help");
    await expectAccessible(container);
  });

  test("shows the summary of a finished meeting", () => {
    const { container } = showMeeting();
    const value = { resultUrl: "/r", summary: "3 speakers" };
    act(() => client.meeting("1", { attempt: 1, update: { case: "completed", value } }));
    expect(screen.getByRole("progressbar").getAttribute("aria-valuenow")).toBe("100");
    expect(container.textContent).toContain("3 speakers");
  });
});

describe("ConnectionBanner", () => {
  test("says nothing while all is well, and nothing of a short loss", () => {
    const { container } = showBanner();
    act(() => client.set({ phase: "live", transport: "stream", quality: "good" }));
    expect(container.querySelector(".rt-banner")).toBeNull();
    act(() => client.set({ phase: "backoff", transport: null, quality: "degraded", lostSince: 1 }));
    expect(container.querySelector(".rt-banner")).toBeNull();
  });

  test("G5r: tells a lasting loss with the time of the next try, and the return", async () => {
    const { container } = showBanner();
    const retryAt = Date.now() + 4000;
    act(() => client.set({ phase: "backoff", quality: "down", lostSince: 1, retryAt }));
    expect(container.textContent).toContain("Next try in 4 s.");
    act(() => void vi.advanceTimersByTime(1000));
    expect(container.textContent).toContain("Next try in 3 s.");
    expect(announced("alert")).toContain("Connection lost.");
    fireEvent.click(screen.getByRole("button", { name: "Try now" }));
    expect(client.calls).toContain("retryNow");
    act(() =>
      client.set({ phase: "live", transport: "stream", quality: "good", lostSince: null, retryAt: null }),
    );
    expect(announced("status")).toBe("Live again.");
    expect(announced("alert")).toBe("");
    await expectAccessible(container);
  });

  const live = { phase: "live", transport: "stream", quality: "good", lostSince: null } as const;
  const lost = { phase: "backoff", transport: null, quality: "down", lostSince: 1 } as const;

  test.each(["gaps", "resets"] as const)("a return after which the hub told of %s says so", (name) => {
    showBanner();
    act(() => client.set(lost));
    const { counters } = client.cell.getSnapshot();
    act(() => client.set({ counters: { ...counters, [name]: counters[name] + 1 } }));
    act(() => client.set(live));
    expect(announced("status")).toBe("Live again. Some of what came meanwhile is no longer kept.");
    act(() => client.set(lost));
    act(() => client.set(live));
    expect(announced("status")).toBe("Live again.");
  });

  test("G5r: says when news come by polling", () => {
    const { container } = showBanner();
    act(() => client.set({ phase: "live", transport: "longpoll", quality: "degraded" }));
    expect(container.textContent).toContain("news come by polling");
  });

  test("leads to signing in again", () => {
    const onSignIn = vi.fn();
    showBanner(onSignIn);
    act(() => client.set({ phase: "needs-auth", quality: "down" }));
    fireEvent.click(screen.getByRole("button", { name: "Sign in again" }));
    expect(onSignIn).toHaveBeenCalledOnce();
  });

  test("says why it gave up", () => {
    const { container } = showBanner();
    const error = new RealtimeError("This version is too old.", { kind: "protocol" });
    act(() => client.set({ phase: "failed", quality: "down", error }));
    expect(container.textContent).toContain("This version is too old.");
  });
});

test.each([
  [999, "999 B"],
  [1500, "1.5 kB"],
  [20_000_000, "20.0 MB"],
  [250_000_000, "250 MB"],
])("%d bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test.each([
  [3000, "a few seconds left"],
  [41_000, "about 45 s left"],
  [150_000, "about 3 min left"],
])("%d ms are %s", (ms, text) => expect(formatLeft(ms)).toBe(text));

test("names are made readable", () => expect(formatName("speaker_turns")).toBe("Speaker turns"));
