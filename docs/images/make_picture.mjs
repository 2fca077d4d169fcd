// Makes docs/images/in-step.png anew: two tabs of the reference page and `rthub tail`, in step, with the hub killed
// between. Everything in it is real: the tabs are screenshots, the terminal shows what `rthub tail` printed.
//
// Usage: node docs/images/make_picture.mjs        (after `make venv` and `make web`; needs Debian's chromium)
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.resolve(HERE, "../..");
const RTHUB = path.join(ROOT, ".venv/bin/rthub");
const PICTURE = path.join(HERE, "in-step.png");
const MAX_BYTES = 500_000;
// Slow enough that both tabs can be caught in the same step.
const SPEED = "12";
const TAB = { width: 1120, height: 620 };
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const TERMINAL_LINES = 30;

const require = createRequire(path.join(ROOT, "clients/package.json"));
const { chromium } = require("playwright-core");

/** Starts a program of this repository; the result gathers what it prints and ends it. */
function start(args, env = {}) {
  const child = spawn(RTHUB, args, { cwd: ROOT, env: { ...process.env, ...env } });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const run = { output: "", end: () => (child.kill("SIGTERM"), ended) };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text) => {
      run.output += text;
    });
  }
  return run;
}

async function until(what, condition) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within a minute`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** What the picture says beside a printed line; the line itself is as it was printed. */
function remark(line) {
  if (/connection was lost/.test(line)) return "the hub is killed (SIGKILL) and started again";
  return /resumed, 0 lost/.test(line) ? "caught up, 0 lost" : "";
}

/** A printed line as HTML, coloured as a terminal shows it: notes of the connection apart from events. */
function terminalLine(line) {
  const kind = /lost\b.*again in|cannot be reached/.test(line) ? "bad" : line.startsWith("--") ? "good" : "event";
  const words = remark(line);
  return `<div class="${kind}">${escape(line)}${words && `<i>◀ ${words}</i>`}</div>`;
}

function composition({ first, second, lines, command }) {
  const image = (data) => `data:image/png;base64,${data.toString("base64")}`;
  return `<!doctype html><meta charset="utf-8"><style>
    body { margin: 0; padding: 24px; width: 1432px; background: #dfe4ea; font: 15px/1.4 "DejaVu Sans", sans-serif; }
    .tabs { display: grid; grid-template-columns: 1fr 1fr; gap: 20px; }
    figure { margin: 0; border-radius: 8px; overflow: hidden; background: #fff; box-shadow: 0 2px 10px #0003; }
    figcaption { padding: 7px 14px; background: #c9d0d8; color: #222b35; font-size: 14px; }
    img { display: block; width: 100%; }
    .terminal { margin-top: 20px; }
    .terminal figcaption { background: #2b323b; color: #d5dce4; }
    .text { padding: 12px 16px; background: #171b21; color: #cfd6de; font: 13px/1.42 "DejaVu Sans Mono", monospace; white-space: pre; }
    .bad { color: #ffb057; } .good { color: #7ddc8f; } .command { color: #fff; }
    i { margin-left: 3em; padding: 0 8px; border-radius: 3px; background: #3a4552; color: #fff; font-family: "DejaVu Sans", sans-serif; }
  </style>
  <div class="tabs">
    <figure><figcaption>Tab 1: it started the meeting, and killed the hub</figcaption><img src="${image(first)}"></figure>
    <figure><figcaption>Tab 2: it watches</figcaption><img src="${image(second)}"></figure>
  </div>
  <figure class="terminal"><figcaption>Terminal: it watches too</figcaption><div class="text"><div class="command">$ ${escape(command)}</div>${lines.map(terminalLine).join("")}</div></figure>`;
}

/** The first lines, those around the kill, and the last: what fits, with a mark where lines are left out. */
function excerpt(lines) {
  if (lines.length <= TERMINAL_LINES) return lines;
  const killed = lines.findIndex((line) => /connection was lost/.test(line));
  const back = lines.findIndex((line) => /resumed/.test(line));
  const wanted = new Set([0, 1, 2]);
  for (let at = killed - 4; at <= back + 6; at += 1) wanted.add(at);
  for (let at = lines.length - 4; at < lines.length; at += 1) wanted.add(at);
  const shown = [];
  lines.forEach((line, at) => {
    if (wanted.has(at)) shown.push(line);
    else if (wanted.has(at - 1)) shown.push("   …");
  });
  return shown;
}

const data = await mkdtemp(path.join(tmpdir(), "picture-"));
const demo = start(["demo", "--data-dir", data, "--speed", SPEED], { RTHUB_HEARTBEAT_INTERVAL: "1" });
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS });
let tail;
try {
  const address = (await until("the demo", () => demo.output.match(/demo\s+(http:\S+)/)))[1];
  const ready = JSON.parse(await readFile(path.join(data, "hub-ready.json"), "utf8"));
  const context = await browser.newContext({ viewport: TAB, colorScheme: "light", reducedMotion: "reduce" });
  const open = async (where) => {
    const page = await context.newPage();
    await page.goto(where);
    await page.waitForSelector("[data-person], [data-me]");
    if (await page.$(".sign-in")) await page.click('[data-person="ada"]');
    await page.waitForSelector('.strip-phase[data-phase="live"]');
    return page;
  };
  const first = await open(address);
  await first.click('[data-sample="weekly-review.vtt"]:not([disabled])');
  await first.waitForFunction(() => location.hash.startsWith("#/meetings/"));
  const second = await open(first.url());
  const topic = `meeting/${first.url().split("#/meetings/")[1]}`;
  const words = ["tail", topic, "--from", "earliest", "--server", ready.grpc];
  tail = start(words, { COLUMNS: "160" });

  await first.waitForSelector('[data-stage="speakers"][data-status="active"]');
  await until("the terminal's first event", () => /speakers/.test(tail.output));
  await first.click("[data-panel-toggle]");
  await first.click('[data-fault="kill"]');
  await first.click("[data-panel-toggle]");
  await until("the terminal's return", () => /resumed, 0 lost/.test(tail.output));
  for (const page of [first, second]) await page.waitForSelector('.strip-phase[data-phase="live"]');
  await until("some events more", () => /speakers 75%/.test(tail.output));
  for (const page of [first, second]) await page.evaluate(() => scrollTo(0, 0));
  const offset = (page) => page.textContent('[data-figure="offset"]');
  // A pair of screenshots counts only if both tabs showed the same offset before and after.
  const [one, two] = await until("both tabs at one offset", async () => {
    const before = [await offset(first), await offset(second)];
    const shots = [await first.screenshot(), await second.screenshot()];
    const all = new Set([...before, await offset(first), await offset(second)]);
    return all.size === 1 && shots;
  });
  const lines = tail.output.trimEnd().split("\n");
  const sheet = await browser.newPage({ viewport: { width: 1480, height: 900 } });
  await sheet.setContent(composition({ first: one, second: two, lines: excerpt(lines), command: `rthub ${words.join(" ")}` }));
  await sheet.screenshot({ path: PICTURE, fullPage: true });
  console.log(lines.join("\n"));
} finally {
  await tail?.end();
  await browser.close();
  await demo.end();
  await rm(data, { recursive: true, force: true });
}
const { size } = await stat(PICTURE);
console.log(`${path.relative(ROOT, PICTURE)}: ${size} bytes`);
if (size >= MAX_BYTES) throw new Error(`over ${MAX_BYTES} bytes`);
