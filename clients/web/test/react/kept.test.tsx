// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, renderHook, screen } from "@testing-library/react";
import axe from "axe-core";
import type { ReactNode } from "react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { RealtimeError } from "../../src/errors.js";
import type { OutboxEntry } from "../../src/outbox/types.js";
import { RealtimeProvider } from "../../src/react/provider.js";
import { useOutbox } from "../../src/react/use-outbox.js";
import { useSavedState } from "../../src/react/use-saved-state.js";
import { useTabRole } from "../../src/react/use-tab-role.js";
import { OutboxBadge } from "../../src/ui/outbox-badge.js";
import { FakeClient } from "../support/fake-client.js";

let client: FakeClient;
const wrapper = ({ children }: { children: ReactNode }) => (
  <RealtimeProvider client={client}>{children}</RealtimeProvider>
);
beforeEach(() => {
  client = new FakeClient();
});
afterEach(cleanup);

const queued = (id: string): OutboxEntry => {
  return { id, topic: "meeting/1", state: "queued", createdAt: 0, attempts: 0, error: null };
};
const dead = (id: string): OutboxEntry => {
  const error = new RealtimeError("Not allowed <here>.", { kind: "permission", id });
  return { ...queued(id), state: "dead", error };
};
const keep = (entries: readonly OutboxEntry[], paused = false) =>
  act(() => client.outboxCell.set({ persistent: true, entries, paused }));

test("useTabRole tells what this tab is", () => {
  const { result } = renderHook(useTabRole, { wrapper });
  expect(result.current).toBe("solo");
  act(() => client.tabs.set({ role: "leader", tabs: 2 }));
  expect(result.current).toBe("leader");
});

test("useOutbox shows what is kept, and is the same until that changes", async () => {
  const { result, rerender } = renderHook(useOutbox, { wrapper });
  expect(result.current).toMatchObject({ persistent: null, entries: [], paused: false });
  keep([queued("1"), dead("2")]);
  const before = result.current;
  rerender();
  expect(result.current).toBe(before);
  await before.retry(...before.entries.filter(({ state }) => state === "dead"));
  await before.discard(...before.entries);
  expect(client.calls.slice(1)).toEqual(["retry 2", "discard 1", "discard 2"]);
});

test("useSavedState folds a topic's events, and begins anew with another topic", async () => {
  const reduce = (sum: number) => sum + 1;
  const { result, rerender } = renderHook(
    ({ topic }: { topic: string | null }) => useSavedState(topic, { initial: 0, version: 1, reduce }),
    { wrapper, initialProps: { topic: "meeting/1" as string | null } },
  );
  expect(result.current).toMatchObject({ state: 0, status: "restoring" });
  await act(() => vi.waitUntil(() => client.watching("meeting/1") > 0));
  act(() => {
    for (const bytes of [1n, 2n])
      client.meeting("1", { attempt: 1, update: { case: "upload", value: { sentBytes: bytes } } });
  });
  await act(() => vi.waitFor(() => expect(result.current).toMatchObject({ state: 2, status: "stale" })));
  rerender({ topic: null });
  expect(result.current).toMatchObject({ state: 0, status: "restoring" });
  expect(client.watching("meeting/1")).toBe(0);
});

describe("the badge of the outbox", () => {
  const show = () => render(<OutboxBadge />, { wrapper });

  test("says nothing while there is nothing, in a place that screen readers know already", () => {
    show();
    expect(screen.getByRole("status").textContent).toBe("");
    keep([queued("1"), queued("2")]);
    expect(screen.getByRole("status").textContent).toBe("2 waiting to be sent");
    expect(screen.queryByRole("button")).toBeNull();
    keep([queued("1")], true);
    expect(screen.getByRole("status").textContent).toBe("1 waiting for you to sign in");
  });

  test("K1: offers the ways out of what was refused, and is accessible", async () => {
    const { container } = show();
    keep([queued("1"), dead("2"), dead("3")]);
    expect(screen.getByRole("status").textContent).toBe("1 waiting to be sent2 could not be sent");
    expect(container.textContent).toContain("Not allowed <here>.");
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    fireEvent.click(screen.getByRole("button", { name: "Discard" }));
    expect(client.calls.slice(1)).toEqual(["retry 2", "retry 3", "discard 2", "discard 3"]);
    const { violations } = await axe.run(container, { rules: { region: { enabled: false } } });
    expect(violations).toEqual([]);
  });
});
