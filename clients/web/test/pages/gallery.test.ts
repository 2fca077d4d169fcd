import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningEngine } from "../engines/page.js";
import { engines } from "../engines/programs.js";
import { startEngine } from "../engines/start.js";
import { type Served, serveGallery } from "./serve.js";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
/** Where the pictures are put for a person to look at; without it they are only taken. */
const SHOTS = process.env["SHOTS"];

let served: Served;
let chromium: RunningEngine;

beforeAll(async () => {
  served = await serveGallery();
  if (engines().includes("chromium")) chromium = await startEngine("chromium");
});
afterAll(async () => {
  await chromium?.close();
  await served?.close();
});

async function shown(query: string) {
  const page = await chromium.open(served.url(`index.html?${query}`));
  await page.evaluate(
    "new Promise((done) => { const look = () => window.gallery?.ready ? done() : setTimeout(look, 20); look(); })",
  );
  return page;
}

async function keepPictures(folder: string, query: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const part of ["D", "Ba", "Meet", "Practice", "Notifications", "Bell", "Mess", "O", "P", "T"]) {
    const page = await shown(`${query}&scenes=${part}`);
    await page.evaluate("new Promise((done) => setTimeout(done, 600))");
    await writeFile(join(folder, `${query.replaceAll(/\W+/g, "-")}-${part}.png`), await page.screenshot());
  }
}

test.runIf(engines().includes("chromium")).each(["scheme=light", "scheme=dark", "scheme=dark&dir=rtl"])(
  "K1: every component in every state is drawn and passes axe, contrast included: %s",
  async (query) => {
    const page = await shown(query);
    await page.evaluate("document.fonts.ready.then(() => new Promise((done) => setTimeout(done, 600)))");
    expect(await page.evaluate("window.gallery")).toMatchObject({ violations: [], errors: [], ready: true });
    const picture = await page.screenshot();
    expect(picture.length).toBeGreaterThan(20_000);
    if (SHOTS) await keepPictures(SHOTS, query);
    await page.evaluate(await readFile(AXE, "utf8"));
    // A page of many samples has many headings of the same words; what is judged is each sample.
    const rules = "{ rules: { 'heading-order': { enabled: false }, 'landmark-unique': { enabled: false } } }";
    const found = await page.evaluate(
      `axe.run(document, ${rules}).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ' ' + html.slice(0, 200) + ' ' + failureSummary)))`,
    );
    expect(found).toEqual([]);
  },
);
