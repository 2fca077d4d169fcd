import { fileURLToPath } from "node:url";
import puppeteer, { type KeyInput, type LaunchOptions } from "puppeteer-core";
import { type EnginePage, type RunningEngine, unsupported } from "./page.js";
import { PROGRAMS } from "./programs.js";

const TIED = fileURLToPath(new URL("./tied.sh", import.meta.url));
const START_MS = 120_000;
/** A busy machine may need long for a single step; what hangs for good ends with the suite's own time. */
const STEP_MS = 120_000;
const SIZE = { width: 1024, height: 800 };

const OPTIONS: Readonly<Record<"chromium" | "firefox", LaunchOptions>> = {
  chromium: {
    browser: "chrome",
    // Pages under test lie in a frame; a hidden or covered one must not be slowed down.
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--js-flags=--expose-gc",
      "--enable-precise-memory-info",
    ],
  },
  firefox: { browser: "firefox", extraPrefsFirefox: { "dom.ipc.processCount": 1 } },
};

/** Starts Chromium by its own protocol, or Firefox by WebDriver BiDi. */
export async function startByPuppeteer(engine: "chromium" | "firefox"): Promise<RunningEngine> {
  const browser = await puppeteer.launch({
    ...OPTIONS[engine],
    executablePath: TIED,
    env: { ...process.env, ENGINE_PROGRAM: PROGRAMS[engine] },
    headless: true,
    timeout: START_MS,
    protocolTimeout: STEP_MS,
    defaultViewport: engine === "chromium" ? SIZE : null,
  });
  return {
    open: async (url) => {
      const page = await browser.newPage();
      await page.goto(url, { waitUntil: "domcontentloaded", timeout: START_MS });
      const opened: EnginePage = {
        evaluate: (expression) => page.evaluate(expression),
        press: (key) => page.keyboard.press(key as KeyInput),
        screenshot: () => page.screenshot({ fullPage: engine === "chromium" }),
        emulate: async (features) => {
          if (engine !== "chromium") return unsupported("emulate");
          const list = Object.entries(features).map(([name, value]) => ({ name, value }));
          // Puppeteer's own call does not know forced colours.
          const control = await page.createCDPSession();
          await control.send("Emulation.setEmulatedMedia", { features: list });
        },
      };
      return opened;
    },
    close: async () => {
      // A browser that hangs does not answer; its process ends all the same.
      const late = setTimeout(() => browser.process()?.kill("SIGKILL"), 5000);
      await browser.close().catch(() => browser.process()?.kill("SIGKILL"));
      clearTimeout(late);
    },
  };
}
