// What every scenario needs: Chromium, the page, and what the page shows.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("../../../clients/package.json", import.meta.url));
const { chromium } = require("playwright-core");

export const PAGE = process.env.PAGE;
export const STAGES = ["upload", "parse", "speakers", "pace", "language", "questions", "summary"];
export const AXE = require.resolve("axe-core/axe.min.js");
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const WAIT_MS = 60_000;

/** Runs `task` with a browser and ends the browser whatever happens. */
export async function withBrowser(task) {
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS });
  try {
    await task(browser);
  } finally {
    await browser.close();
  }
}

/**
 * The same by Puppeteer, for the life of pages: there a page that is covered is hidden and one that is frozen is told so,
 * which Playwright keeps from pages, as it does the back/forward cache.
 */
export async function withPuppeteer(task) {
  const { default: puppeteer } = await import(pathToFileURL(require.resolve("puppeteer-core")).href);
  const options = { executablePath: "/usr/bin/chromium", args: FLAGS, headless: true, protocolTimeout: 240_000 };
  const browser = await puppeteer.launch({ ...options, timeout: WAIT_MS });
  try {
    await task(browser);
  } finally {
    const late = setTimeout(() => browser.process()?.kill("SIGKILL"), 10_000);
    await browser.close().catch(() => browser.process()?.kill("SIGKILL"));
    clearTimeout(late);
  }
}

/**
 * Opens the page as a person; keeps what would be an error of the page, and every stage that became active, in order.
 * One browser context is one person's browser: its tabs share who is signed in, and the connection.
 */
export async function openPage(context, address = PAGE, person = "ada") {
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.addInitScript(() => {
    window.activeStages = [];
    window.uploadSteps = [];
    window.phases = [];
    window.celebrated = [];
    const look = () => {
      const phase = document.querySelector(".strip-phase")?.dataset.phase;
      if (phase && phase !== window.phases.at(-1)) window.phases.push(phase);
      const celebration = document.querySelector("[data-celebration]")?.dataset.celebration;
      if (celebration && celebration !== window.celebrated.at(-1)) window.celebrated.push(celebration);
      const stage = document.querySelector('[data-stage][data-status="active"]')?.dataset.stage;
      if (stage && stage !== window.activeStages.at(-1)) window.activeStages.push(stage);
      const sent = document.querySelector(".rt-meeting-detail")?.textContent ?? "";
      if (/of 20(\.\d)? MB/.test(sent) && sent !== window.uploadSteps.at(-1)) window.uploadSteps.push(sent);
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  });
  await page.goto(address);
  await page.waitForSelector(`[data-person="${person}"], [data-me="${person}"]`);
  if (await page.$(".sign-in")) await page.click(`[data-person="${person}"]`);
  await isLive(page);
  return { page, errors };
}

export async function isLive(page) {
  await page.waitForSelector('.strip-phase[data-phase="live"]');
}

/** Waits until it is so, as the page's own waits do. */
export async function until(test) {
  const end = Date.now() + WAIT_MS;
  while (!(await test())) {
    assert.ok(Date.now() < end, `waited too long: ${test}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Goes to another place of the product, as a link does. */
export async function goTo(page, place) {
  await page.evaluate((hash) => {
    location.hash = hash;
  }, `#/${place}`);
}

/** Opens the details of the connection, with the buttons that disturb it. */
export async function openPanel(page) {
  await page.click('[data-panel-toggle][aria-expanded="false"]');
  await page.waitForSelector("#connection-panel");
}

/**
 * Every stage is done in the end, and those seen at work came in order, none twice. A stage whose events arrive
 * in one frame with the next one's is never painted at work.
 */
export async function assertWholeMeeting(page) {
  const seen = await page.evaluate(() => window.activeStages);
  assert.deepEqual(seen, STAGES.filter((stage) => seen.includes(stage)), "a stage came twice or out of order");
  assert.deepEqual(await stageStates(page), STAGES.map((stage) => `${stage}:done`));
}

/** The figures of the strip, by name. */
export function strip(page) {
  return page.$$eval("[data-figure]", (all) => Object.fromEntries(all.map((one) => [one.dataset.figure, one.textContent])));
}

/** How many events of its topic the page has accounted for: handed over, or told by the hub as left out for newer ones. */
export function accountedFor(figures) {
  return Number(figures.events) + Number(figures["left-out"]);
}

/** Waits until the strip shows `value` for `name`. */
export function waitForFigure(page, name, value) {
  return page.waitForSelector(`[data-figure="${name}"]:text-is("${value}")`);
}

export function waitForStage(page, stage) {
  return page.waitForSelector(`[data-stage="${stage}"][data-status="active"]`);
}

export async function startSample(page, name) {
  await page.click(`[data-sample="${name}"]:not([disabled])`);
  await page.waitForFunction(() => location.hash.startsWith("#/meetings/"));
}

export async function waitForResult(page) {
  await page.waitForSelector('.rt-meeting[data-phase="completed"]');
  await page.waitForSelector("[data-result] table");
}

/** The process id of the hub that runs now. */
export async function hubPid() {
  return JSON.parse(await readFile(process.env.HUB_READY_FILE, "utf8")).pid;
}

/** Sets or lifts the blockade of the hub's streams. */
export async function blockStreaming(blocked) {
  const response = await fetch(new URL("/dev/block-streaming", PAGE), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ blocked }),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
}

export function stageStates(page) {
  return page.$$eval("[data-stage]", (all) => all.map((one) => `${one.dataset.stage}:${one.dataset.status}`));
}
