import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { DEFAULT_TIMING } from "../../src/connection/timing.js";
import { Code } from "../../src/gen/google/rpc/code_pb.js";
import { Drain } from "../../src/outbox/drain.js";
import { nextRows } from "../../src/outbox/plan.js";
import { OUTBOX_LIMITS, OutboxFullError, type Row } from "../../src/outbox/rows.js";
import { MemoryStore } from "../../src/outbox/store.js";
import type { SessionContext } from "../../src/session/context.js";
import { TestEnvironment } from "../support/environment.js";
import { content, environment, hub, hubForEachTest, open, TOPIC } from "../support/rig.js";
import { until } from "../support/until.js";

hubForEachTest();

describe("the outbox in memory", () => {
  test("says that nothing survives the page, and shows what waits", async () => {
    await hub.kill();
    const client = open();
    const { persistent, id } = await client.outbox.add(TOPIC, content("a"));
    expect(persistent).toBe(false);
    const shown = await until(client.outbox, ({ entries }) => entries.length === 1);
    expect(shown).toMatchObject({ persistent: false, paused: false, entries: [{ id, topic: TOPIC }] });
  });

  test("twenty drafts that were given while the hub was down land once, in order within a topic", async () => {
    await hub.kill();
    const client = open();
    const receipts = [];
    for (let index = 0; index < 20; index += 1) {
      const queued = await client.outbox.add(`meeting/${index % 5}`, content(String(index)));
      receipts.push(queued.receipt);
    }
    await hub.start();
    client.connect();
    await Promise.all(receipts);
    for (let topic = 0; topic < 5; topic += 1) {
      const wanted = [0, 5, 10, 15].map((index) => String(index + topic));
      expect(hub.log.texts(`meeting/${topic}`)).toEqual(wanted);
    }
    expect((await until(client.outbox, ({ entries }) => entries.length === 0)).entries).toEqual([]);
  });

  test("an answer that is lost means the same id again", async () => {
    hub.publishAnswer = "cut";
    const client = open();
    const { receipt } = await client.outbox.add(TOPIC, content("a"));
    await vi.waitUntil(() => hub.calls.filter((name) => name === "Publish").length >= 2);
    hub.publishAnswer = "sent";
    expect(await receipt).toMatchObject({ duplicate: true, offset: 1n });
    expect(hub.log.texts(TOPIC)).toEqual(["a"]);
  });

  test("a refused draft is kept as dead; it can be tried again, or thrown away", async () => {
    hub.refuseCall = () => ({ code: Code.PERMISSION_DENIED, message: "no" });
    const client = open();
    const first = await client.outbox.add(TOPIC, content("a"));
    const second = await client.outbox.add(TOPIC, content("b"));
    await expect(first.receipt).rejects.toMatchObject({ kind: "permission", id: first.id });
    await expect(second.receipt).rejects.toMatchObject({ kind: "permission" });
    const { entries } = await until(client.outbox, (now) =>
      now.entries.every(({ state }) => state === "dead"),
    );
    expect(entries[0]?.error).toMatchObject({ kind: "permission", message: "no" });
    hub.refuseCall = () => null;
    await client.outbox.discard(first.id);
    await client.outbox.retry(second.id);
    await until(client.outbox, (now) => now.entries.length === 0);
    expect(hub.log.texts(TOPIC)).toEqual(["b"]);
  });

  test("while nobody is signed in nothing goes out, and then it does", async () => {
    let token: string | null = null;
    const client = open({ getToken: () => token });
    const { receipt } = await client.outbox.add(TOPIC, content("a"));
    await until(client.outbox, ({ paused }) => paused);
    token = "t";
    client.connect();
    expect(await receipt).toMatchObject({ offset: 1n });
    expect(client.outbox.getSnapshot().paused).toBe(false);
  });

  test("a hub that is busy is asked again", async () => {
    let refusals = 1;
    hub.refuseCall = () => (refusals-- > 0 ? { code: Code.UNAVAILABLE, message: "not now" } : null);
    const { receipt } = await open().outbox.add(TOPIC, content("a"));
    expect(await receipt).toMatchObject({ offset: 1n });
  });

  test("closing the client gives up what waits", async () => {
    await hub.kill();
    const client = open();
    const { receipt } = await client.outbox.add(TOPIC, content("a"));
    client.close();
    await expect(receipt).rejects.toMatchObject({ kind: "aborted" });
  });

  test("a closed client takes nothing more, whether its outbox was used or not", async () => {
    const used = open();
    await (await used.outbox.add(TOPIC, content("a"))).receipt;
    for (const client of [used, open()]) {
      client.close();
      const closed = { kind: "aborted", message: "The client is closed." };
      await expect(client.outbox.add(TOPIC, content("b"))).rejects.toMatchObject(closed);
      await expect(client.outbox.retry("1")).rejects.toMatchObject(closed);
    }
    expect(hub.log.texts(TOPIC)).toEqual(["a"]);
  });

  test("signing out throws away what is being put in just then", async () => {
    await hub.kill();
    const client = open();
    const adding = client.outbox.add(TOPIC, content("a"));
    await client.signOut();
    await expect((await adding).receipt).rejects.toMatchObject({ kind: "aborted" });
    await until(client.outbox, ({ entries }) => entries.length === 0);
  });

  test("a draft that the hub has is not dead because it could not be removed here", async () => {
    const failure = new Error("no removal");
    const remove = vi.spyOn(MemoryStore.prototype, "remove").mockRejectedValueOnce(failure);
    const client = open();
    const { receipt } = await client.outbox.add(TOPIC, content("a"));
    expect(await receipt).toMatchObject({ offset: 1n });
    await vi.waitUntil(() => remove.mock.calls.length === 2);
    remove.mockRestore();
    await until(client.outbox, ({ entries }) => entries.length === 0);
    expect(hub.log.texts(TOPIC)).toEqual(["a"]);
    expect(environment.reported.splice(0)).toEqual([failure]);
  });
});

const row = (change: Partial<Row> = {}): Row => ({
  ...{ seq: 1, id: "1", topic: TOPIC, key: TOPIC, content: new Uint8Array(), ttlMs: null, createdAt: 0 },
  ...{ firstSentAt: null, attempts: 0, state: "queued", error: null },
  ...change,
});

test("a store that fails is tried again after a wait only", async () => {
  const waits: (() => void)[] = [];
  const surroundings = new TestEnvironment();
  surroundings.schedule = (task) => {
    waits.push(task);
    return () => {};
  };
  const store = new MemoryStore();
  await store.add(row());
  const put = vi.spyOn(store, "put").mockImplementation(() =>
    // Not without end: that would block the test too.
    put.mock.calls.length > 10 ? new Promise(() => {}) : Promise.reject(new Error("no writing")),
  );
  const ignore = () => {};
  const events = { taken: ignore, dead: ignore, changed: ignore, paused: ignore };
  const context = { environment: surroundings, timing: DEFAULT_TIMING } as unknown as SessionContext;
  const drain = new Drain(context, store, events);
  const settled = () => new Promise((resolve) => setTimeout(resolve));
  surroundings.now = () => 0;
  drain.wake();
  await settled();
  expect([put.mock.calls.length, waits.length, surroundings.reported.length]).toEqual([1, 1, 1]);
  waits[0]?.();
  await settled();
  expect([put.mock.calls.length, waits.length, surroundings.reported.length]).toEqual([2, 2, 2]);
  drain.stop();
});

test("no more than the limits is kept", async () => {
  const store = new MemoryStore();
  for (let index = 0; index < OUTBOX_LIMITS.rows; index += 1) await store.add(row({ id: String(index) }));
  await expect(store.add(row({ id: "more" }))).rejects.toBeInstanceOf(OutboxFullError);
  expect(await store.add(row({ id: "7" }))).toMatchObject({ id: "7", seq: 8 });
  await store.clear();
  const big = new Uint8Array(OUTBOX_LIMITS.bytes / 2);
  await store.add(row({ id: "a", content: big }));
  await expect(store.add(row({ id: "b", content: big }))).rejects.toBeInstanceOf(OutboxFullError);
});

test("a plan sends the oldest of each idle key, at most four keys, and nothing dead", () => {
  const key = fc.constantFrom("a", "b", "c", "d", "e", "f");
  const rows = fc.array(fc.record({ key, state: fc.constantFrom("queued", "sending", "dead") }));
  fc.assert(
    fc.property(rows, fc.uniqueArray(key, { maxLength: 4 }), (shapes, keys) => {
      const all = shapes.map((shape, seq) => row({ ...(shape as Partial<Row>), seq }));
      const busy = new Set<string>(keys);
      const chosen = nextRows(all, busy);
      expect(busy.size + chosen.length).toBeLessThanOrEqual(4);
      expect(new Set([...chosen.map((one) => one.key), ...busy]).size).toBe(busy.size + chosen.length);
      for (const one of chosen) {
        const first = all.find((other) => other.key === one.key && other.state !== "dead");
        expect(one).toBe(first);
      }
      const idle = all.some((one) => one.state !== "dead" && !busy.has(one.key));
      expect(chosen.length > 0).toBe(idle && busy.size < 4);
    }),
  );
});
