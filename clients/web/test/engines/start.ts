import type { RunningEngine } from "./page.js";
import type { Engine } from "./programs.js";
import { startByPuppeteer } from "./puppeteer.js";
import { startWebKit } from "./webkit.js";

const TRIES = 3;

/** Starts a browser; one that does not come up, as may happen on a busy machine, is tried again. */
export async function startEngine(engine: Engine): Promise<RunningEngine> {
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      return await (engine === "webkit" ? startWebKit() : startByPuppeteer(engine));
    } catch (error) {
      if (left === 0) throw error;
      process.stderr.write(`${engine} did not start, ${left} tries left: ${String(error)}\n`);
    }
  }
}
