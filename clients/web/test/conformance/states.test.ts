import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Effect, INITIAL, type MachineEvent, transition } from "../../src/connection/machine.js";
import { type ErrorKind, RealtimeError } from "../../src/errors.js";

interface Trace {
  name: string;
  steps: { input: string; state: string; does: string | null }[];
}

const url = new URL("../../../../tests/conformance/vectors/states.json", import.meta.url);
const traces = JSON.parse(readFileSync(url, "utf8")) as Trace[];

function lost(kind: ErrorKind): MachineEvent {
  const facts = { at: 0, online: true, unaryWorks: false, hiding: false, livedMs: 60_000, waiting: false };
  return { type: "lost", error: new RealtimeError(kind, { kind }), ...facts };
}

const INPUTS: Readonly<Record<string, MachineEvent>> = {
  start: { type: "connect" },
  token: { type: "token" },
  "token-failed": lost("network"),
  "no-token": { type: "no-token" },
  welcome: { type: "welcome" },
  "caught-up": { type: "caught-up" },
  lost: lost("network"),
  "go-away": { type: "sent-away", withinMs: 1000 },
  "token-refused": lost("auth"),
  fatal: lost("permission"),
  timer: { type: "retry" },
  close: { type: "close" },
};

const DOES: Readonly<Record<Effect["type"], string>> = {
  authenticate: "get-token",
  open: "open",
  wait: "wait",
  "wait-offline": "wait",
  drop: "stop",
  stepped: "stepped",
};

/** A session is dropped before anything else is done; where nothing else is, that is the end. */
function does(effects: readonly Effect[]): string | null {
  const last = effects.at(-1);
  return last ? DOES[last.type] : null;
}

describe("the states of a connection, by the vectors shared with the Python SDK", () => {
  test.each(traces)("$name", ({ steps }) => {
    let state = INITIAL;
    for (const step of steps) {
      const event = INPUTS[step.input];
      if (!event) throw new Error(`no such input: ${step.input}`);
      const [next, effects] = transition(state, event);
      expect([step.input, next.phase, does(effects)]).toEqual([step.input, step.state, step.does]);
      state = next;
    }
  });
});
