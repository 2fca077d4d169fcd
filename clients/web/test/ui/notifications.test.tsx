// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RealtimeProvider } from "../../src/react/provider.js";
import {
  closeToast,
  NotificationBell,
  NotificationList,
  NotificationToasts,
  RealtimeErrorBoundary,
  Toaster,
  toast,
} from "../../src/ui/index.js";
import { FakeClient } from "../support/fake-client.js";

const TOPICS = ["user/ann"];
let client: FakeClient;

beforeEach(() => {
  client = new FakeClient();
});
afterEach(() => {
  cleanup();
  closeToast();
  vi.useRealTimers();
});

function show(children: React.ReactNode) {
  return render(<RealtimeProvider client={client}>{children}</RealtimeProvider>);
}
const notify = (title: string, more: object = {}) =>
  act(() => void client.event("user/ann", { case: "notification", value: { kind: 2, title, ...more } }));

async function expectAccessible(container: Element): Promise<void> {
  const { violations } = await axe.run(container, { rules: { "color-contrast": { enabled: false } } });
  expect(violations.map((one) => one.id)).toEqual([]);
}

test("the bell opens the list, Esc closes it, and the focus returns to the bell", async () => {
  const user = userEvent.setup();
  const { container } = show(<NotificationBell topics={TOPICS} />);
  notify("one");
  const bell = screen.getByRole("button", { name: "Notifications: 1 unread notification" });
  await user.click(bell);
  const panel = screen.getByRole("dialog", { name: "Notifications" });
  expect(document.activeElement).toBe(panel);
  expect(bell.getAttribute("aria-expanded")).toBe("true");
  await expectAccessible(container);
  await user.tab();
  expect(panel.contains(document.activeElement)).toBe(true);
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(document.activeElement).toBe(bell);
});

test("a click elsewhere closes the list", async () => {
  const user = userEvent.setup();
  show(
    <>
      <NotificationBell topics={TOPICS} />
      <p>elsewhere</p>
    </>,
  );
  await user.click(screen.getByRole("button"));
  await user.click(screen.getByText("elsewhere"));
  expect(screen.queryByRole("dialog")).toBeNull();
});

test("what is put away is gone, and the keyboard goes on with the next one", async () => {
  const user = userEvent.setup();
  show(<NotificationList topics={TOPICS} />);
  notify("one");
  notify("two");
  screen.getByRole("button", { name: "Put away: two" }).focus();
  await user.keyboard("{Enter}");
  expect(screen.queryByText("two")).toBeNull();
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Put away: one" }));
  expect(client.calls).toContain("dismiss user/ann 2");
});

test("what could not be saved is said, and shown as it was", async () => {
  client.acknowledging = () => Promise.reject(new Error("no"));
  show(<NotificationList topics={TOPICS} />);
  notify("one");
  fireEvent.click(screen.getByRole("button", { name: "Mark all as read" }));
  await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("could not be saved"));
  expect(screen.getByText("Unread")).toBeTruthy();
});

test("an action marks as read and is told; an address that is not safe is no link", () => {
  const onAction = vi.fn();
  show(<NotificationList topics={TOPICS} onAction={onAction} />);
  const actions = [
    { actionId: "go", label: "Go", url: "/practice" },
    { actionId: "bad", label: "Bad", url: "javascript:alert(1)" },
    { actionId: "later", label: "Later", url: "" },
  ];
  notify("one", { actions });
  expect(screen.getByRole("link", { name: "Go" }).getAttribute("href")).toBe("/practice");
  expect(screen.queryByText("Bad")).toBeNull();
  fireEvent.click(screen.getByRole("button", { name: "Later" }));
  expect(onAction).toHaveBeenCalledWith(
    expect.objectContaining({ id: "later" }),
    expect.objectContaining({ title: "one" }),
  );
  expect(client.calls).toContain("markRead user/ann 1");
});

test("a new notification becomes a toast, once", async () => {
  show(
    <>
      <NotificationToasts topics={TOPICS} />
      <Toaster />
    </>,
  );
  notify("one");
  await screen.findByText("one");
  expect(screen.getAllByText("one")).toHaveLength(1);
});

test("a notification that another tab has claimed becomes no toast; one whose claim fails does", async () => {
  const claim = vi.spyOn(client, "claim");
  claim.mockResolvedValueOnce(false).mockRejectedValueOnce(new Error("no storage"));
  show(
    <>
      <NotificationToasts topics={TOPICS} />
      <Toaster />
    </>,
  );
  notify("theirs");
  notify("ours");
  await screen.findByText("ours");
  expect(screen.queryByText("theirs")).toBeNull();
  expect(new Set(claim.mock.calls.map(([key]) => key)).size).toBe(2);
});

test("toasts go by themselves, but not while they are pointed at, and one with an action stays 10 s", () => {
  vi.useFakeTimers();
  show(<Toaster />);
  act(() => void toast({ title: "short" }));
  act(() => void toast({ title: "asks", action: { label: "Undo", onClick: () => {} } }));
  act(() => void vi.advanceTimersByTime(5000));
  const region = screen.getByRole("region", { name: "Messages" });
  fireEvent.pointerEnter(region);
  act(() => void vi.advanceTimersByTime(60_000));
  expect(screen.queryByRole("button", { name: "Close: short" })).not.toBeNull();
  fireEvent.pointerLeave(region);
  act(() => void vi.advanceTimersByTime(1100));
  expect(screen.queryByRole("button", { name: "Close: short" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Close: asks" })).not.toBeNull();
  act(() => void vi.advanceTimersByTime(4000));
  expect(screen.queryByRole("button", { name: "Close: asks" })).toBeNull();
});

test("F6 goes to the newest toast, Esc closes it, and behind the last one the focus returns", async () => {
  const user = userEvent.setup();
  const { container } = show(
    <>
      <input aria-label="Name" />
      <Toaster />
    </>,
  );
  act(() => void toast({ title: "one", durationMs: Infinity }));
  act(() => void toast({ title: "two", durationMs: Infinity }));
  await expectAccessible(container);
  const field = screen.getByRole("textbox");
  field.focus();
  await user.keyboard("{F6}");
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Close: two" }));
  await user.keyboard("{Escape}");
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Close: one" }));
  await user.keyboard("{Escape}");
  expect(document.activeElement).toBe(field);
  expect(screen.queryAllByRole("listitem")).toEqual([]);
});

test("what is said of a toast is said once, also when the one behind it goes", () => {
  vi.useFakeTimers();
  show(<Toaster />);
  act(() => void toast({ title: "one", durationMs: Infinity }));
  act(() => void vi.advanceTimersByTime(1000));
  let id = "";
  act(() => {
    id = toast({ title: "two", durationMs: Infinity });
  });
  act(() => void vi.advanceTimersByTime(1000));
  act(() => closeToast(id));
  act(() => void vi.advanceTimersByTime(1000));
  expect(screen.getByRole("status").textContent).toBe("two");
});

test("a failure interrupts, other toasts wait their turn", () => {
  vi.useFakeTimers();
  show(<Toaster />);
  expect(screen.getByRole("status").textContent).toBe("");
  act(() => void toast({ title: "Copied" }));
  act(() => void vi.advanceTimersByTime(1000));
  expect(screen.getByRole("status").textContent).toBe("Copied");
  act(() => void toast({ title: "Upload failed", tone: "danger" }));
  act(() => void vi.advanceTimersByTime(1000));
  expect(screen.getByRole("alert").textContent).toBe("Upload failed");
});

test("a part that breaks is fenced in, and tried again when the connection is back", () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  let broken = true;
  const Part = () => {
    if (broken) throw new Error("broken");
    return <p>whole</p>;
  };
  const onError = vi.fn();
  show(
    <RealtimeErrorBoundary onError={onError}>
      <Part />
    </RealtimeErrorBoundary>,
  );
  expect(onError).toHaveBeenCalledOnce();
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(screen.queryByText("whole")).toBeNull();
  broken = false;
  act(() => client.set({ phase: "live" }));
  expect(screen.getByText("whole")).toBeTruthy();
});
