// A terminal: the line which the page offers to copy, run as a process of its own.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const OFFERED = /^rthub tail meeting\/\S+ --from earliest --server \S+:\d+$/;
const EVENT = /^\d\d:\d\d:\d\d\.\d{3} {2}meeting\/\S+ +#(\d+) {2}/;
const WAIT_MS = 60_000;

/** Runs `task` with a terminal that runs the page's line, and ends its process whatever happens. */
export async function withTerminal(page, task) {
  const terminal = new Terminal(await page.textContent(".command code"));
  try {
    return await task(terminal);
  } finally {
    terminal.kill();
  }
}

class Terminal {
  #child;
  #closed;
  #lines = [];
  #notes = "";
  #changed = () => {};

  constructor(line) {
    assert.match(line, OFFERED);
    const [, ...words] = line.split(" ");
    this.#child = spawn(process.env.RTHUB, words, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child.once("error", (error) => {
      this.#notes += error.message;
    });
    // "close" comes after the last output, "exit" may come before it.
    this.#closed = new Promise((resolve) => {
      this.#child.once("close", (code, signal) => resolve({ code, signal }));
    });
    this.#closed.then(() => this.#changed());
    createInterface({ input: this.#child.stdout }).on("line", (text) => {
      this.#lines.push(text);
      this.#changed();
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text) => {
      this.#notes += text;
    });
  }

  /** The last offset and the number of event lines so far; fails if another line was printed among them. */
  figures() {
    const offsets = this.#lines.map((line) => {
      assert.match(line, EVENT);
      return Number(EVENT.exec(line)[1]);
    });
    return { offset: offsets.at(-1) ?? 0, events: offsets.length };
  }

  /** Waits until the event at `offset`, or a later one, was printed. */
  async waitForOffset(offset) {
    await this.#within(`offset ${offset}`, async () => {
      while (this.figures().offset < offset) {
        assert.ok(this.#running, "it ended before");
        await new Promise((resolve) => {
          this.#changed = resolve;
        });
      }
    });
  }

  /** Ends the process as Ctrl-C does; its exit code, or the signal that ended it. */
  async interrupt() {
    assert.ok(this.#running, `it ended before\n${this.#notes}`);
    process.kill(this.#child.pid, "SIGINT");
    const { code, signal } = await this.#within("the end", () => this.#closed);
    return signal ?? code;
  }

  kill() {
    if (this.#running) this.#child.kill("SIGKILL");
  }

  get #running() {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async #within(what, task) {
    let timer;
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`not within ${WAIT_MS} ms`)), WAIT_MS);
    });
    try {
      return await Promise.race([task(), late]);
    } catch (error) {
      const printed = [...this.#lines, this.#notes].join("\n");
      throw new Error(`The terminal, waiting for ${what}: ${error.message}\n${printed}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}
