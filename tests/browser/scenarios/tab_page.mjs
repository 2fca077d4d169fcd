// A page of the web client's own, served to real tabs of Chromium, against a real hub.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

export const { HUB } = process.env;
const { ORIGIN } = process.env;
/** What hangs ends then; a busy machine takes its time. */
const WAIT_MS = 120_000;

/** Builds and serves the page while `task` runs. */
export async function withPage(task) {
  const clients = new URL("../../../clients/web/", import.meta.url);
  const { build } = await import(createRequire(new URL("package.json", clients)).resolve("vite"));
  const input = fileURLToPath(new URL("test/pages/tab.ts", clients));
  const { output } = await build({
    configFile: false,
    root: fileURLToPath(clients),
    logLevel: "warn",
    build: { write: false, modulePreload: false, rollupOptions: { input } },
  });
  const chunks = output.filter((one) => one.type === "chunk");
  const scripts = new Map(chunks.map((one) => [`/${one.fileName}`, one.code]));
  const entry = chunks.find((one) => one.isEntry).fileName;
  const server = createServer((request, response) => {
    const script = scripts.get(request.url);
    response.setHeader("content-type", script ? "text/javascript" : "text/html");
    response.end(script ?? `<!doctype html><title>tab</title><script type="module" src="/${entry}"></script>`);
  });
  await new Promise((resolve) => server.listen(Number(new URL(ORIGIN).port), "127.0.0.1", resolve));
  try {
    await task();
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Starts the page's client for a user; `options` as in the page. */
export async function start(page, identity, options = {}) {
  page.setDefaultTimeout(WAIT_MS);
  await page.goto(ORIGIN);
  await when(page, () => window.startTab !== undefined);
  await page.evaluate((all) => void window.startTab(all), { hub: HUB, identity, ...options });
}

/** A new tab that is live. */
export async function openTab(context, identity = "ann", options = {}) {
  const page = await context.newPage();
  await start(page, identity, options);
  await when(page, () => window.tab.phase() === "live");
  return page;
}

/** Waits until it is so in the page. It is asked from here: timers of hidden pages are slow. */
export async function when(page, test, argument = null) {
  let why = null;
  const ask = () => page.evaluate(test, argument);
  // A page that is being loaded has no such thing yet.
  await until(() => ask().catch((error) => void (why = error)), () => `in the page: ${test} ${why ?? ""}`);
}

export async function until(test, named = () => test) {
  const end = Date.now() + WAIT_MS;
  while (!(await test())) {
    assert.ok(Date.now() < end, `waited too long: ${named()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function publish(text, topic = "meeting/1") {
  const content = { attributes: { text }, meeting: { attempt: 1, upload: { sentBytes: "1" } } };
  const drafts = [{ id: crypto.randomUUID(), topic, content }];
  const response = await fetch(`${HUB}/v1/publish`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ drafts }),
  });
  const { results } = await response.json();
  assert.equal(results?.[0]?.outcome, "OUTCOME_STORED");
}

/** What the hub says of its open streams. */
export async function streams() {
  const text = await (await fetch(`${HUB}/metrics`)).text();
  return Number(/^rthub_sessions(?:\{\})? (\d+)/m.exec(text)?.[1]);
}

export const texts = (page) => page.evaluate(() => window.tab.texts);
export const has = (page, count) => when(page, (wanted) => window.tab.texts.length >= wanted, count);
