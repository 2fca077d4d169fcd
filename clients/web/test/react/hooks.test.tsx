// @vitest-environment jsdom
import { act, cleanup, render, renderHook } from "@testing-library/react";
import { type ReactNode, StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ConnectionSnapshot } from "../../src/connection/snapshot.js";
import { RealtimeProvider } from "../../src/react/provider.js";
import { useConnection } from "../../src/react/use-connection.js";
import { useMeetingProgress } from "../../src/react/use-meeting-progress.js";
import { usePresence } from "../../src/react/use-presence.js";
import { useTopic } from "../../src/react/use-topic.js";
import { FakeClient } from "../support/fake-client.js";

let client: FakeClient;
const wrapper = ({ children }: { children: ReactNode }) => (
  <RealtimeProvider client={client}>{children}</RealtimeProvider>
);

beforeEach(() => {
  client = new FakeClient();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

test("the provider connects on mount, and disconnects a second after the last one is gone", () => {
  vi.useFakeTimers();
  const first = render(<RealtimeProvider client={client} />);
  const second = render(<RealtimeProvider client={client} />);
  first.unmount();
  vi.advanceTimersByTime(5000);
  expect(client.calls).not.toContain("disconnect");
  second.unmount();
  vi.advanceTimersByTime(999);
  expect(client.calls).not.toContain("disconnect");
  vi.advanceTimersByTime(1);
  expect(client.calls.at(-1)).toBe("disconnect");
});

test("StrictMode's double mount does not disconnect", () => {
  vi.useFakeTimers();
  render(
    <StrictMode>
      <RealtimeProvider client={client} />
    </StrictMode>,
  );
  vi.advanceTimersByTime(5000);
  expect(client.calls).not.toContain("disconnect");
});

test("useConnection renders again only when the chosen part changes", () => {
  let renders = 0;
  const byPhase = (snapshot: ConnectionSnapshot) => snapshot.phase;
  const { result } = renderHook(
    () => {
      renders += 1;
      return useConnection(byPhase);
    },
    { wrapper },
  );
  const before = renders;
  act(() => client.set({ rttMs: 5 }));
  expect(renders).toBe(before);
  act(() => client.set({ phase: "live" }));
  expect(result.current).toBe("live");
});

test("useConnection takes a selector that is written in place and builds an object", () => {
  const { result } = renderHook(() => useConnection((now) => ({ isLive: now.phase === "live" })), {
    wrapper,
  });
  act(() => client.set({ phase: "live" }));
  expect(result.current).toEqual({ isLive: true });
});

test("useTopic keeps its subscription when the listener is another object, and calls the newest one", () => {
  const seen: string[] = [];
  const { rerender, unmount } = renderHook(
    ({ tag }) =>
      useTopic("meeting/1", { start: "earliest", onEvent: (event) => seen.push(`${tag}:${event.offset}`) }),
    { wrapper, initialProps: { tag: "a" } },
  );
  const before = [...(client.listeners.get("meeting/1") ?? [])];
  rerender({ tag: "b" });
  expect([...(client.listeners.get("meeting/1") ?? [])]).toEqual(before);
  act(() => client.meeting("1", { attempt: 1 }));
  expect(seen).toEqual(["b:1"]);
  unmount();
  expect(client.watching("meeting/1")).toBe(0);
});

test("useTopic never shows another topic's state, not even for one render", () => {
  const shown: string[] = [];
  const { rerender, unmount } = renderHook(
    ({ name }) => {
      const { status } = useTopic(name);
      shown.push(`${name}:${status}`);
    },
    { wrapper, initialProps: { name: "meeting/1" } },
  );
  act(() =>
    client.state("meeting/1").set({ status: "live", offset: 1n, error: null, events: 1, leftOut: 0 }),
  );
  rerender({ name: "meeting/2" });
  expect(shown.filter((one) => one.startsWith("meeting/2"))).not.toContain("meeting/2:live");
  expect(shown).toContain("meeting/1:live");
  expect(client.watching("meeting/1")).toBe(0);
  unmount();
  expect(client.watching("meeting/2")).toBe(0);
});

test("useTopic shows the state of a topic that is read already in its first render", () => {
  client.topic("meeting/1").subscribe({});
  client.state("meeting/1").set({ status: "live", offset: 5n, error: null, events: 5, leftOut: 0 });
  const shown: unknown[] = [];
  renderHook(() => shown.push(useTopic("meeting/1").offset), { wrapper });
  expect(shown[0]).toBe(5n);
});

test("useTopic with null reads nothing", () => {
  renderHook(() => useTopic(null), { wrapper });
  expect(client.listeners.size).toBe(0);
});

test("useMeetingProgress follows the meeting, and several components share one subscription", () => {
  const first = renderHook(() => useMeetingProgress("1"), { wrapper });
  const second = renderHook(() => useMeetingProgress("1"), { wrapper });
  expect(client.watching("meeting/1")).toBe(1);
  const update = { case: "stageChanged" as const, value: { stage: "parse", stages: ["parse", "pace"] } };
  act(() => client.meeting("1", { attempt: 1, update }));
  expect(first.result.current).toMatchObject({ phase: "processing", stage: "parse", offset: 1n });
  expect(second.result.current).toBe(first.result.current);
  first.unmount();
  second.unmount();
  expect(client.watching("meeting/1")).toBe(0);
});

function Probe() {
  const { phase } = useConnection();
  const meeting = useMeetingProgress("1");
  return (
    <p>
      {phase} {meeting.phase}
    </p>
  );
}

test("everything renders on a server, without touching the connection", () => {
  const html = renderToString(
    <RealtimeProvider client={client}>
      <Probe />
    </RealtimeProvider>,
  );
  expect(html).toContain("idle");
  expect(html).toContain("waiting");
  expect(client.calls).toEqual([]);
});

test("a hook without a provider says what is missing", () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  expect(() => renderHook(() => useConnection())).toThrow("<RealtimeProvider");
});

test("usePresence shows who is there, and says and takes back what others see", () => {
  const { result, rerender, unmount } = renderHook(
    ({ state }: { state: "active" | "away" | null }) =>
      usePresence("meeting/1", state === null ? null : { state, metadata: { page: "3" } }),
    { wrapper, initialProps: { state: "active" as "active" | "away" | null } },
  );
  expect(result.current.status).toBe("pending");
  const alice = { user: "alice", clientId: "a", state: "online", metadata: {} } as const;
  act(() => client.present.set({ status: "live", members: [alice], sessions: 1, users: 1, error: null }));
  expect(result.current.members).toEqual([alice]);
  rerender({ state: "active" });
  rerender({ state: "away" });
  rerender({ state: null });
  const said = [
    ["meeting/1", "active", { page: "3" }],
    ["meeting/1", "away", { page: "3" }],
    ["meeting/1", null],
  ];
  expect(client.said).toEqual(said);
  rerender({ state: "active" });
  unmount();
  expect(client.said).toEqual([...said, said[0], said[2]]);
});
