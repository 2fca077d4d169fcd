import { afterEach, describe, expect, test, vi } from "vitest";
import { DEFAULT_TIMING } from "../../src/connection/timing.js";
import { Code } from "../../src/gen/google/rpc/code_pb.js";
import { OutboxHandle } from "../../src/outbox/handle.js";
import { OpenOutbox } from "../../src/outbox/outbox.js";
import { MemoryStore } from "../../src/outbox/store.js";
import { NO_OUTBOX, type OutboxSnapshot } from "../../src/outbox/types.js";
import type { SessionContext } from "../../src/session/context.js";
import { type GetToken, TokenSource } from "../../src/session/token.js";
import { Cell } from "../../src/store.js";
import { GrpcWebTransport } from "../../src/transport/grpc-web.js";
import { content, hub, hubForEachTest, open, TOPIC, url } from "../support/rig.js";
import { TestTab } from "../support/tab.js";
import { until } from "../support/until.js";

hubForEachTest();

let names = 0;
const opened: OpenOutbox[] = [];
afterEach(() => {
  for (const outbox of opened.splice(0)) outbox.close();
  vi.unstubAllGlobals();
});

/** A browser whose tabs keep their drafts in one store. */
function newBrowser() {
  names += 1;
  const name = `outbox of ${names}`;
  const store = new MemoryStore();
  return {
    store,
    tab(getToken?: GetToken) {
      const tab = new TestTab();
      const { environment } = tab;
      const session = {
        environment,
        timing: DEFAULT_TIMING,
        tokens: new TokenSource(getToken, environment, 10_000),
        transport: new GrpcWebTransport({ baseUrl: url }),
      } as unknown as SessionContext;
      const cell = new Cell<OutboxSnapshot>(NO_OUTBOX, environment.report);
      const outbox = new OpenOutbox({ session, store, shared: { name, host: tab }, cell });
      opened.push(outbox);
      outbox.start();
      return { outbox, cell, tab, environment };
    },
  };
}

describe("H2: which tab sends", () => {
  test("one where nobody is signed in gives way to one where somebody is", async () => {
    const browser = newBrowser();
    const signedOut = browser.tab(() => null);
    const { receipt } = await signedOut.outbox.add(TOPIC, content("a"), {});
    await until(signedOut.cell, ({ paused }) => paused);
    browser.tab(() => "t");
    expect(await receipt).toMatchObject({ offset: 1n });
    await until(signedOut.cell, ({ paused, entries }) => !paused && entries.length === 0);
  });

  test("one that waits in line sends at once when the one before it has no token any more", async () => {
    const browser = newBrowser();
    let token: string | null = "t";
    const first = browser.tab(() => token);
    await (await first.outbox.add(TOPIC, content("a"), {})).receipt;
    const second = browser.tab(() => "t");
    token = null;
    hub.refuseCall = () => {
      hub.refuseCall = () => null;
      return { code: Code.UNAUTHENTICATED, message: "ended" };
    };
    const { receipt } = await second.outbox.add(TOPIC, content("b"), {});
    expect(await receipt).toMatchObject({ offset: 2n });
  });

  test("where nobody is signed in anywhere, none asks without end, and the first to be signed in sends", async () => {
    const browser = newBrowser();
    let asked = 0;
    let token: string | null = null;
    const getToken = () => {
      asked += 1;
      return token;
    };
    const first = browser.tab(getToken);
    const second = browser.tab(getToken);
    const { receipt } = await first.outbox.add(TOPIC, content("a"), {});
    for (const { cell } of [first, second]) await until(cell, ({ paused }) => paused);
    await vi.waitUntil(() => asked >= 2);
    await new Promise<void>((resolve) => first.environment.schedule(resolve, 200));
    expect(asked).toBeLessThanOrEqual(3);
    token = "t";
    second.outbox.online();
    expect(await receipt).toMatchObject({ offset: 1n });
  });
});

describe("who waits for a draft is told", () => {
  test("all who gave it, whatever tab sends it", async () => {
    await hub.kill();
    const browser = newBrowser();
    browser.tab();
    const { outbox } = browser.tab();
    const all = [];
    for (let times = 0; times < 2; times += 1) all.push(await outbox.add(TOPIC, content("a"), { id: "one" }));
    await hub.start();
    for (const { receipt } of all) expect(await receipt).toMatchObject({ id: "one", offset: 1n });
    expect(hub.log.texts(TOPIC)).toEqual(["a"]);
  });

  test("of one that is dead already, at once", async () => {
    hub.refuseCall = () => ({ code: Code.PERMISSION_DENIED, message: "no" });
    const { outbox } = newBrowser().tab();
    const first = await outbox.add(TOPIC, content("a"), { id: "one" });
    await expect(first.receipt).rejects.toMatchObject({ kind: "permission" });
    const again = await outbox.add(TOPIC, content("a"), { id: "one" });
    await expect(again.receipt).rejects.toMatchObject({ kind: "permission", id: "one" });
  });

  test("a store that fails while a death is looked up is reported", async () => {
    hub.refuseCall = () => ({ code: Code.PERMISSION_DENIED, message: "no" });
    const browser = newBrowser();
    browser.tab();
    const { outbox, environment } = browser.tab();
    const failure = new Error("no reading");
    const { all } = browser.store;
    const add = browser.store.add.bind(browser.store);
    browser.store.add = async (row) => {
      const kept = await add(row);
      // The other tab reads it, and dies of it; then this one cannot read.
      browser.store.all = async () => {
        const rows = await all.call(browser.store);
        if (rows.some(({ state }) => state === "dead")) throw failure;
        return rows;
      };
      return kept;
    };
    await outbox.add(TOPIC, content("a"), { id: "one" });
    await vi.waitUntil(() => environment.reported.includes(failure));
    browser.store.all = all;
  });
});

test("H2: the word that something is kept stays until the user signs out, so that no draft is left behind", async () => {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  });
  const client = open({ identity: "ann", tabsHost: new TestTab() });
  expect(client.outbox).toBeInstanceOf(OutboxHandle);
  await (await client.outbox.add(TOPIC, content("a"))).receipt;
  await until(client.outbox, ({ entries }) => entries.length === 0);
  // Another tab may be writing one down just now, which this one cannot see.
  expect(kept.size).toBe(1);
  await client.signOut();
  expect(kept.size).toBe(0);
});
