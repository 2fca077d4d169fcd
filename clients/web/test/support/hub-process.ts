import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const TIED = fileURLToPath(new URL("../engines/tied.sh", import.meta.url));
const START_MS = 60_000;
const STOP_MS = 20_000;

export interface HubOptions {
  /** Origins of pages that may call it. */
  readonly origins?: readonly string[];
  /** More options of `rthub serve`, such as ["--heartbeat", "1"]. */
  readonly options?: readonly string[];
  /** More environment, such as RTHUB_AUTH_HS256_SECRET. */
  readonly env?: Readonly<Record<string, string>>;
  /** Anyone may publish and read (`--dev`); true by default. */
  readonly dev?: boolean;
}

/** A real hub in a process of its own, on free ports and with data of its own. It ends with the test run at the latest. */
export class HubProcess {
  readonly #options: HubOptions;
  #folder = "";
  #process: ChildProcess | null = null;
  #ports = { grpc: 0, http: 0 };

  constructor(options: HubOptions = {}) {
    this.#options = options;
  }

  /** Address of the browsers' door, without a slash at the end. */
  get http(): string {
    return `http://127.0.0.1:${this.#ports.http}`;
  }

  /** host:port of the gRPC door. */
  get grpc(): string {
    return `127.0.0.1:${this.#ports.grpc}`;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Starts it and waits until it serves; the second time on the ports and data of the first. */
  async start(): Promise<void> {
    this.#folder ||= await mkdtemp(join(tmpdir(), "rthub-"));
    const ready = join(this.#folder, "ready.json");
    await rm(ready, { force: true });
    const { origins = [], options = [], env = {}, dev = true } = this.#options;
    const arguments_ = ["serve", "--data-dir", join(this.#folder, "data"), "--ready-file", ready];
    arguments_.push("--grpc-port", String(this.#ports.grpc), "--http-port", String(this.#ports.http));
    for (const origin of origins) arguments_.push("--origin", origin);
    arguments_.push(...options, ...(dev ? ["--dev"] : []));
    const program = process.env["RTHUB"] ?? join(ROOT, ".venv/bin/rthub");
    const log = await open(join(this.#folder, "hub.log"), "a");
    const hub = spawn(TIED, arguments_, {
      stdio: ["ignore", log.fd, log.fd],
      // A busy machine must not make a test's hub refuse what the test asks for.
      env: { ...process.env, RTHUB_OVERLOAD_LAG: "0", ...env, ENGINE_PROGRAM: program },
    });
    hub.on("error", () => {}); // told by its exit
    this.#process = hub;
    await log.close();
    const until = Date.now() + START_MS;
    while (!existsSync(ready)) {
      if (hub.exitCode !== null || hub.signalCode !== null || Date.now() > until) {
        await this.kill();
        throw new Error(`the hub did not come up:\n${(await this.log()).slice(-4000)}`);
      }
      await pause(20);
    }
    const told = JSON.parse(await readFile(ready, "utf8")) as { grpc: string; http: string };
    this.#ports = { grpc: portOf(told.grpc), http: portOf(told.http) };
  }

  /** All that it logged. */
  log(): Promise<string> {
    return readFile(join(this.#folder, "hub.log"), "utf8").catch(() => "");
  }

  /** Kill -9: nothing is flushed, nobody is told. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** Starts again on the same ports and data; kills it first where it still runs. */
  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Starts again on the same ports with nothing stored, as after the loss of a disk. */
  async empty(): Promise<void> {
    await this.kill();
    await rm(join(this.#folder, "data"), { recursive: true, force: true });
    await this.start();
  }

  /** Asks it to go, insists where it does not, and removes its data. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const hub = this.#process;
    this.#process = null;
    if (!hub || hub.exitCode !== null || hub.signalCode !== null) return;
    const gone = once(hub, "exit");
    hub.kill(signal);
    const late = setTimeout(() => hub.kill("SIGKILL"), STOP_MS);
    await gone;
    clearTimeout(late);
  }
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}
