import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type EnginePage, type RunningEngine, unsupported } from "./page.js";
import { PROGRAMS } from "./programs.js";

const TIED = fileURLToPath(new URL("./tied.sh", import.meta.url));
const START_MS = 120_000;
const STEP_MS = 120_000;
/** How long one look at a running step may take, on a machine that is busy with layout. */
const LOOK_MS = 30_000;
/** Keys by the code points of the WebDriver standard. */
const KEYS: Readonly<Record<string, string>> = {
  Tab: "\uE004",
  Enter: "\uE007",
  Escape: "\uE00C",
  Space: " ",
  ArrowUp: "\uE013",
  ArrowDown: "\uE015",
  F6: "\uE036",
};

/** Starts WebKitGTK's own small browser by WebDriver, on a display that only it has. */
export async function startWebKit(): Promise<RunningEngine> {
  const started: ChildProcess[] = [];
  try {
    const display = await startDisplay(started);
    const driver = new Driver(await startDriver(started, display));
    await driver.begin();
    return {
      open: async (url) => {
        await driver.ask("POST", "/url", { url });
        return new WebKitPage(driver);
      },
      close: async () => {
        await driver.ask("DELETE", "").catch(() => {});
        await end(started);
      },
    };
  } catch (error) {
    await end(started);
    throw error;
  }
}

interface Step {
  readonly state: "running" | "done" | "failed";
  readonly value?: unknown;
  readonly error?: string;
}

class WebKitPage implements EnginePage {
  readonly #driver: Driver;
  #steps = 0;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /**
   * Asks again and again instead of waiting for one answer: the driver loses the answer of a script that a page is
   * still loading under. A script that has begun in a page is not begun again there.
   */
  async evaluate(expression: string): Promise<unknown> {
    this.#steps += 1;
    const script = `const step = (window.steps ??= {})[${this.#steps}] ??= (() => {
        const begun = { state: "running" };
        (async () => (${expression}))().then(
          (value) => Object.assign(begun, { state: "done", value }),
          (error) => Object.assign(begun, { state: "failed", error: String(error) }),
        );
        return begun;
      })();
      return step;`;
    const until = Date.now() + STEP_MS;
    while (Date.now() < until) {
      const step = await this.#ask(script);
      if (step?.state === "done") return step.value;
      if (step?.state === "failed") throw new Error(step.error);
      await pause(20);
    }
    throw new Error(`not done within ${STEP_MS} ms: ${expression}`);
  }

  /** One look at a step; null when the driver gave no answer. */
  async #ask(script: string): Promise<Step | null> {
    try {
      return (await this.#driver.ask("POST", "/execute/sync", { script, args: [] }, LOOK_MS)) as Step | null;
    } catch (error) {
      if (error instanceof DOMException && error.name === "TimeoutError") return null;
      throw error;
    }
  }

  async press(key: string): Promise<void> {
    const value = KEYS[key] ?? key;
    const actions = ["keyDown", "keyUp"].map((type) => ({ type, value }));
    await this.#driver.ask("POST", "/actions", { actions: [{ type: "key", id: "keys", actions }] });
  }

  async screenshot(): Promise<Uint8Array> {
    return Buffer.from((await this.#driver.ask("GET", "/screenshot")) as string, "base64");
  }

  emulate(): Promise<void> {
    return unsupported("emulate");
  }
}

/** One session of WebDriver. */
class Driver {
  readonly #port: number;
  #session = "";

  constructor(port: number) {
    this.#port = port;
  }

  async begin(): Promise<void> {
    const binary = PROGRAMS.miniBrowser;
    const alwaysMatch = {
      pageLoadStrategy: "eager",
      timeouts: { script: STEP_MS, pageLoad: START_MS },
      "webkitgtk:browserOptions": { binary, args: ["--automation"] },
    };
    const made = (await this.#call("POST", "/session", { capabilities: { alwaysMatch } })) as {
      sessionId: string;
    };
    this.#session = `/session/${made.sessionId}`;
  }

  ask(method: string, path: string, body?: object, ms?: number): Promise<unknown> {
    return this.#call(method, this.#session + path, body, ms);
  }

  async #call(method: string, path: string, body?: object, ms = STEP_MS): Promise<unknown> {
    const answer = await fetch(`http://127.0.0.1:${this.#port}${path}`, {
      method,
      signal: AbortSignal.timeout(ms),
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const { value } = (await answer.json()) as { value: unknown };
    if (!answer.ok) throw new Error(`WebKitWebDriver: ${method} ${path}: ${JSON.stringify(value)}`);
    return value;
  }
}

/** Starts a display; the server itself finds a number that is free, and tells it when it is ready. */
async function startDisplay(started: ChildProcess[]): Promise<string> {
  const arguments_ = ["-displayfd", "3", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"];
  const server = tied(started, PROGRAMS.display, arguments_, {});
  const lines = createInterface({ input: server.stdio[3] as Readable });
  const [number] = (await Promise.race([
    once(lines, "line", { signal: AbortSignal.timeout(START_MS) }),
    once(server, "exit").then(([code]) => Promise.reject(new Error(`Xvfb ended with ${code}`))),
  ])) as [string];
  return `:${number}`;
}

async function startDriver(started: ChildProcess[], display: string): Promise<number> {
  const port = await freePort();
  // Without a GPU its compositor only costs time.
  const environment = { DISPLAY: display, WEBKIT_DISABLE_COMPOSITING_MODE: "1", NO_AT_BRIDGE: "1" };
  const driver = tied(started, PROGRAMS.webDriver, [`--port=${port}`], environment);
  const until = Date.now() + START_MS;
  while (Date.now() < until) {
    const answer = await fetch(`http://127.0.0.1:${port}/status`).catch(() => null);
    if (answer?.ok) return port;
    if (driver.exitCode !== null) throw new Error(`WebKitWebDriver ended with ${driver.exitCode}`);
    await pause(50);
  }
  throw new Error("WebKitWebDriver did not answer");
}

function tied(started: ChildProcess[], program: string, arguments_: string[], more: object): ChildProcess {
  const process_ = spawn(TIED, arguments_, {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
    env: { ...process.env, ...more, ENGINE_PROGRAM: program },
  });
  process_.on("error", () => {}); // told by its exit
  started.push(process_);
  return process_;
}

/** Ends them, the last one first, and waits until they are gone. */
async function end(started: ChildProcess[]): Promise<void> {
  for (const one of started.splice(0).reverse()) {
    if (one.exitCode !== null || one.signalCode !== null) continue;
    const gone = once(one, "exit");
    one.kill("SIGKILL");
    await gone;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}
