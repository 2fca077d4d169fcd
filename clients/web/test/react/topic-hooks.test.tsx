// @vitest-environment jsdom
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { act, cleanup, render, renderHook } from "@testing-library/react";
import { Activity, type ReactNode, StrictMode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RealtimeError } from "../../src/errors.js";
import type { Event } from "../../src/gen/shipspeak/realtime/v1/event_pb.js";
import {
  type ConnectionEvent,
  RealtimeProvider,
  useConnectionEvent,
  useEvents,
  useLatest,
  useNotifications,
  usePracticeFeedback,
  usePublish,
  useServerNow,
  useTopicState,
} from "../../src/react/index.js";
import type { Receipt } from "../../src/repeat.js";
import { FakeClient } from "../support/fake-client.js";

let client: FakeClient;
const wrapper = ({ children }: { children: ReactNode }) => (
  <StrictMode>
    <RealtimeProvider client={client}>{children}</RealtimeProvider>
  </StrictMode>
);
const upload = (sentBytes: bigint) => ({
  case: "meeting" as const,
  value: { attempt: 1, update: { case: "upload" as const, value: { sentBytes } } },
});
const sent = (event: Event) => {
  const payload = event.content?.payload;
  if (payload?.case !== "meeting" || payload.value.update.case !== "upload") return undefined;
  return payload.value.update.value.sentBytes;
};

beforeEach(() => {
  client = new FakeClient();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

test("a factory makes one client, which is connected while the provider is mounted", () => {
  const made: FakeClient[] = [];
  const make = () => {
    made.push(new FakeClient());
    return made.at(-1) as FakeClient;
  };
  const { rerender } = render(<RealtimeProvider client={make} />);
  rerender(<RealtimeProvider client={make} />);
  expect(made.map((one) => one.calls)).toEqual([["connect"]]);
});

test("what Activity hides for a moment keeps its connection; for longer, it is let go and comes back", () => {
  vi.useFakeTimers();
  const page = (mode: "visible" | "hidden") => (
    <Activity mode={mode}>
      <RealtimeProvider client={client} />
    </Activity>
  );
  const { rerender } = render(page("visible"));
  rerender(page("hidden"));
  vi.advanceTimersByTime(900);
  rerender(page("visible"));
  vi.advanceTimersByTime(5000);
  expect(client.calls).not.toContain("disconnect");
  rerender(page("hidden"));
  vi.advanceTimersByTime(1000);
  expect(client.calls.at(-1)).toBe("disconnect");
  rerender(page("visible"));
  expect(client.calls.at(-1)).toBe("connect");
});

test("useEvents keeps the last events in order, and renders once for many of one frame", async () => {
  let renders = 0;
  const { result, unmount } = renderHook(
    () => {
      renders += 1;
      return useEvents("meeting/1", { limit: 3 });
    },
    { wrapper },
  );
  const before = renders;
  act(() => {
    for (let n = 1n; n <= 5n; n += 1n) client.event("meeting/1", upload(n));
  });
  await act(() => vi.waitFor(() => expect(result.current).toHaveLength(3)));
  expect(result.current.map(sent)).toEqual([3n, 4n, 5n]);
  expect(renders - before).toBeLessThanOrEqual(2); // StrictMode renders twice
  unmount();
  expect(client.watching("meeting/1")).toBe(0);
});

test("useLatest gives the newest payload of its kind, and what a function picks", async () => {
  const { result } = renderHook(
    () => [useLatest("meeting/1", "meeting")?.attempt, useLatest("meeting/1", (event) => sent(event))],
    { wrapper },
  );
  expect(result.current).toEqual([undefined, undefined]);
  act(() => {
    client.event("meeting/1", upload(7n));
    client.event("meeting/1", { case: "receipt", value: { eventId: "x", offset: 1n } });
  });
  await act(() => vi.waitFor(() => expect(result.current).toEqual([1, 7n])));
});

test("useTopicState folds events, says how fresh it is, and begins anew after a reset", async () => {
  const { result } = renderHook(
    () => useTopicState("meeting/1", (sum: bigint, event) => sum + (sent(event) ?? 0n), 0n),
    { wrapper },
  );
  expect(result.current).toEqual({ state: 0n, status: "restoring", error: null });
  const verdict = (verdict: "ok" | "reset") => {
    for (const one of client.listeners.get("meeting/1") ?? []) one.onVerdict?.({ verdict, lost: null });
  };
  act(() => verdict("ok"));
  act(() => void client.event("meeting/1", upload(2n)));
  act(() => void client.event("meeting/1", upload(3n)));
  await act(() => vi.waitFor(() => expect(result.current).toMatchObject({ state: 5n, status: "stale" })));
  act(() => client.set({ phase: "live" }));
  expect(result.current.status).toBe("live");
  act(() => verdict("reset"));
  await act(() => vi.waitFor(() => expect(result.current.state).toBe(0n)));
});

test("useTopicState begins another topic with that topic's initial state", () => {
  const { result, rerender } = renderHook(
    ({ topic, initial }) => useTopicState(topic, (state: number) => state, initial),
    { wrapper, initialProps: { topic: "meeting/1", initial: 1 } },
  );
  expect(result.current.state).toBe(1);
  rerender({ topic: "meeting/1", initial: 5 });
  expect(result.current.state).toBe(1);
  rerender({ topic: "meeting/2", initial: 2 });
  expect(result.current.state).toBe(2);
});

test("null skips every hook that reads a topic", () => {
  renderHook(
    () => {
      useEvents(null);
      useLatest(null, "meeting");
      useTopicState(null, (state: number) => state, 0);
      useNotifications(null);
      usePracticeFeedback(null);
    },
    { wrapper },
  );
  expect(client.listeners.size).toBe(0);
});

test("useConnectionEvent tells a loss once, its end, and a sign-out", () => {
  const seen: ConnectionEvent[] = [];
  renderHook(() => useConnectionEvent((event) => void seen.push(event)), { wrapper });
  const live = { phase: "live", transport: "stream", quality: "good", lostSince: null } as const;
  act(() => client.set({ phase: "connecting", quality: "degraded" }));
  act(() => client.set(live));
  act(() => client.set({ phase: "backoff", quality: "degraded", lostSince: 1 }));
  act(() => client.set({ quality: "down" }));
  act(() => client.set({ phase: "connecting" }));
  act(() => client.set(live));
  act(() => client.set({ transport: "longpoll", quality: "degraded" }));
  act(() => client.set({ phase: "needs-auth", quality: "down" }));
  expect(seen).toEqual(["lost", "restored", "degraded", "needs-auth"]);
});

const taken = (id: string): Receipt => ({ id, outcome: "stored", duplicate: false, offset: 1n });

test("usePublish shows what is on its way, and what failed, until it is tried again or thrown away", async () => {
  const answers: ((receipt: Receipt | RealtimeError) => void)[] = [];
  const ids: string[] = [];
  client.publishing = (_topic, _content, options) =>
    new Promise((resolve, reject) => {
      ids.push(options?.id ?? "");
      answers.push((answer) => (answer instanceof RealtimeError ? reject(answer) : resolve(answer)));
    });
  const { result } = renderHook(() => usePublish("meeting/1"), { wrapper });
  const failures: unknown[] = [];
  const publish = () =>
    void result.current[0]({ payload: upload(1n) }).catch((error) => failures.push(error));
  act(publish);
  expect(result.current[1].pending).toHaveLength(1);
  const refusal = new RealtimeError("too late", { kind: "timeout" });
  await act(async () => answers[0]?.(refusal));
  expect(result.current[1]).toMatchObject({ pending: [], failed: [{ error: refusal }] });
  expect(failures).toEqual([refusal]);
  act(() => void result.current[1].failed[0]?.retry());
  expect(ids[1]).toBe(ids[0]);
  expect(result.current[1]).toMatchObject({ pending: [{ id: ids[0] }], failed: [] });
  await act(async () => answers[1]?.(taken(ids[1] ?? "")));
  expect(result.current[1]).toEqual({ pending: [], failed: [] });
});

test("a draft that failed is tried again where it was meant for, and shown only there", async () => {
  const tried: string[] = [];
  const elsewhere = new FakeClient();
  const refuse = (name: string) => (topic: string) => {
    tried.push(`${name} ${topic}`);
    return Promise.reject(new RealtimeError("too late", { kind: "timeout" }));
  };
  client.publishing = refuse("here");
  elsewhere.publishing = refuse("elsewhere");
  let present = client;
  const { result, rerender } = renderHook(({ topic }) => usePublish(topic), {
    initialProps: { topic: "meeting/1" },
    wrapper: ({ children }: { children: ReactNode }) => (
      <RealtimeProvider client={present}>{children}</RealtimeProvider>
    ),
  });
  await act(() => result.current[0]({ payload: upload(1n) }).catch(() => {}));
  const retry = result.current[1].failed[0]?.retry;
  rerender({ topic: "meeting/2" });
  expect(result.current[1].failed).toEqual([]);
  present = elsewhere;
  rerender({ topic: "meeting/1" });
  expect(result.current[1].failed).toEqual([]);
  await act(async () => void (await retry?.().catch(() => {})));
  expect(tried).toEqual(["here meeting/1", "here meeting/1"]);
  expect(result.current[1]).toEqual({ pending: [], failed: [] });
  present = client;
  rerender({ topic: "meeting/1" });
  await act(async () => void (await result.current[1].failed[0]?.retry().catch(() => {})));
  expect(tried).toHaveLength(3);
});

test("an optimistic draft is pending until its event has come back, at no moment missing", async () => {
  client.publishing = (_topic, _content, options) => Promise.resolve(taken(options?.id ?? ""));
  const { result } = renderHook(() => usePublish("meeting/1", { optimistic: true }), { wrapper });
  await act(async () => void (await result.current[0]({ payload: upload(1n) }, { id: "id-1" })));
  expect(result.current[1].pending).toMatchObject([{ id: "id-1" }]);
  act(() => void client.event("meeting/1", upload(1n)));
  expect(result.current[1].pending).toEqual([]);
});

test("useNotifications leaves out what has expired and what the filter does not want", () => {
  const { result } = renderHook(
    () => useNotifications(["user/ann"], { filter: (one) => one.kind !== "feature" }),
    {
      wrapper,
    },
  );
  act(() => void client.event("user/ann", { case: "notification", value: { kind: 1, title: "one" } }));
  act(() => void client.event("user/ann", { case: "notification", value: { kind: 2, title: "two" } }));
  expect(result.current).toMatchObject({ unread: 1, items: [{ title: "one" }] });
});

test("a notification expires when it is due, however far off that is and however early a timer fires", () => {
  vi.useFakeTimers({ now: 0 });
  const { result } = renderHook(() => useNotifications(["user/ann"]), { wrapper });
  const payload = { case: "notification" as const, value: { kind: 1, title: "one" } };
  const days = 60;
  const expiresAt = timestampFromMs(days * 86_400_000);
  act(() => void client.event("user/ann", payload, { expiresAt }));
  act(() => void vi.advanceTimersByTime((days - 0.5) * 86_400_000));
  expect(result.current.items).toHaveLength(1);
  // The clock goes back a little: the timer is early.
  vi.setSystemTime(Date.now() - 60_000);
  act(() => void vi.advanceTimersByTime(0.5 * 86_400_000));
  expect(result.current.items).toHaveLength(1);
  act(() => void vi.advanceTimersByTime(60_000));
  expect(result.current.items).toEqual([]);
});

test("useServerNow follows the hub's clock, second by second", () => {
  vi.useFakeTimers({ now: 1_000_400 });
  client.aheadMs = 60_000;
  const { result } = renderHook(() => useServerNow(), { wrapper });
  expect(result.current).toBe(1_060_000);
  act(() => void vi.advanceTimersByTime(2000));
  expect(result.current).toBe(1_062_000);
});
