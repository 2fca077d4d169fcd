import { afterAll, beforeAll, expect, test } from "vitest";
import { engines } from "../engines/programs.js";
import { startEngine } from "../engines/start.js";
import { type Served, serveGallery } from "./serve.js";

let served: Served;

beforeAll(async () => {
  served = await serveGallery();
});
afterAll(() => served?.close());

/** What the page is, by its own account. */
const LOOK = `(() => {
  const root = document.getElementById("root");
  const links = [...root.querySelectorAll("a[href]")].map((one) => one.getAttribute("href"));
  return {
    ready: window.gallery?.ready ?? false,
    count: window.gallery?.count ?? 0,
    violations: window.gallery?.violations ?? [],
    errors: window.gallery?.errors ?? [],
    hacked: window.hacked ?? null,
    elements: root.querySelectorAll("img, script, b, iframe, style").length,
    links,
    markup: root.textContent.includes('<img src=x onerror="window.hacked=1">'),
    wider: document.documentElement.scrollWidth > window.innerWidth,
  };
})()`;

test.each(engines())(
  "K1: payloads that were written to do harm are shown as text in %s, under a strict policy",
  async (engine) => {
    const running = await startEngine(engine);
    try {
      const page = await running.open(served.url("index.html?hostile"));
      await page.evaluate(
        "new Promise((done) => { const look = () => window.gallery?.ready ? done(true) : setTimeout(look, 20); look(); })",
      );
      expect(await page.evaluate(LOOK)).toEqual({
        ready: true,
        count: 18,
        violations: [],
        errors: [],
        hacked: null,
        elements: 0,
        links: [],
        markup: true,
        wider: false,
      });
      // What turns the direction around is kept to its own text: each lies in an element that isolates it.
      const loose = await page.evaluate(`(() => {
      const walker = document.createTreeWalker(document.getElementById("root"), NodeFilter.SHOW_TEXT);
      const found = [];
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        if (!node.data.includes("\\u202E")) continue;
        const parts = [];
        for (let up = node.parentElement; up && up.id !== "root"; up = up.parentElement) parts.push(up);
        const kept = parts.some((one) => getComputedStyle(one).unicodeBidi.includes("isolate") || getComputedStyle(one).display !== "inline");
        if (!kept) found.push(node.parentElement.outerHTML.slice(0, 120));
      }
      return found;
    })()`);
      expect(loose).toEqual([]);
    } finally {
      await running.close();
    }
  },
);
