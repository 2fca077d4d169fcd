import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Effect,
  INITIAL,
  type MachineEvent,
  type MachineState,
  type Phase,
  TRANSITIONS,
  transition,
} from "../../src/connection/machine.js";
import { type ErrorKind, RealtimeError } from "../../src/errors.js";
import { Code } from "../../src/gen/google/rpc/code_pb.js";

const KINDS: readonly ErrorKind[] = [
  "network",
  "timeout",
  "unsupported",
  "auth",
  "permission",
  "protocol",
  "busy",
  "refused",
  "aborted",
];

function lost(
  kind: ErrorKind,
  more: { online?: boolean; unaryWorks?: boolean; code?: Code } = {},
): MachineEvent {
  const error = new RealtimeError(kind, { kind, code: more.code ?? null });
  return { type: "lost", error, online: more.online ?? true, unaryWorks: more.unaryWorks ?? false };
}

const plainEvents: MachineEvent[] = [
  { type: "connect" },
  { type: "disconnect" },
  { type: "close" },
  { type: "token" },
  { type: "no-token" },
  { type: "welcome" },
  { type: "caught-up" },
  { type: "settled" },
  { type: "sent-away", withinMs: 100 },
  { type: "stepped-up" },
  { type: "retry" },
];
const anyEvent: fc.Arbitrary<MachineEvent> = fc.oneof(
  fc.constantFrom(...plainEvents),
  fc
    .record({ kind: fc.constantFrom(...KINDS), online: fc.boolean(), unaryWorks: fc.boolean() })
    .map(({ kind, ...more }) => lost(kind, more)),
);

function run(events: readonly MachineEvent[], from: MachineState = INITIAL) {
  const effects: Effect[] = [];
  let state = from;
  for (const event of events) {
    const [next, more] = transition(state, event);
    state = next;
    effects.push(...more);
  }
  return { state, effects };
}

/** What happens when every fault stops: each request succeeds. */
const RECOVERY: Readonly<Partial<Record<Phase, MachineEvent>>> = {
  authenticating: { type: "token" },
  connecting: { type: "welcome" },
  syncing: { type: "caught-up" },
  backoff: { type: "retry" },
  offline: { type: "retry" },
};

describe("any sequence of events", () => {
  test("nothing leads out of closed", () => {
    expect(TRANSITIONS.closed).toEqual({});
    fc.assert(
      fc.property(fc.array(anyEvent), (events) => {
        const { state, effects } = run(events, { ...INITIAL, phase: "closed" });
        expect(state.phase).toBe("closed");
        expect(effects).toEqual([]);
      }),
    );
  });

  test("once faults stop, every phase that wants a connection gets one", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
        let { state } = run(events);
        for (let step = 0; step < 6; step += 1) {
          const event = RECOVERY[state.phase];
          if (!event) break;
          [state] = transition(state, event);
        }
        expect(["live", "idle", "needs-auth", "failed", "closed"]).toContain(state.phase);
      }),
    );
  });

  test("a session is dropped before the next one is opened", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
        let open = 0;
        for (const effect of run(events).effects) {
          if (effect.type === "open") open += 1;
          if (effect.type === "drop") open = 0;
          expect(open).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test("every wait is planned in a phase that waits", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), anyEvent, (events, last) => {
        const before = run(events).state;
        const [after, effects] = transition(before, last);
        const waits = effects.some((effect) => effect.type === "wait" || effect.type === "wait-offline");
        const waiting = after.phase === "backoff" || after.phase === "offline";
        expect(waits).toBe(waiting && before.phase !== after.phase);
      }),
    );
  });
});

describe("the ladder", () => {
  const connecting: MachineState = { ...INITIAL, phase: "connecting" };

  test("a stream that is refused as such means polling at once", () => {
    const { state, effects } = run([lost("unsupported")], connecting);
    expect(state).toMatchObject({ phase: "connecting", rung: "longpoll" });
    expect(effects).toContainEqual({ type: "open", rung: "longpoll" });
  });

  test("two failures while single calls work mean polling; with the hub down in between they do not", () => {
    const again: MachineEvent[] = [{ type: "retry" }, { type: "token" }];
    const fails = lost("network", { unaryWorks: true });
    expect(run([fails, ...again, fails], connecting).state.rung).toBe("longpoll");
    expect(run([fails, ...again, lost("network"), ...again, fails], connecting).state.rung).toBe("stream");
  });

  test("polling that is refused as such means the stream again, after a wait", () => {
    const { state } = run([lost("unsupported")], { ...connecting, rung: "longpoll" });
    expect(state).toMatchObject({ phase: "backoff", rung: "stream" });
  });

  test("a poller keeps polling through losses and climbs when the stream is there", () => {
    const polling: MachineState = { ...INITIAL, phase: "live", rung: "longpoll" };
    expect(run([lost("network")], polling).state).toMatchObject({ phase: "backoff", rung: "longpoll" });
    expect(run([{ type: "stepped-up" }], polling)).toMatchObject({
      state: { phase: "live", rung: "stream" },
      effects: [{ type: "stepped", to: "stream" }],
    });
  });
});

describe("refusals", () => {
  const live: MachineState = { ...INITIAL, phase: "live" };

  test.each(["permission", "refused"] as const)("%s ends in failed", (kind) => {
    expect(run([lost(kind)], live).state.phase).toBe("failed");
  });

  test("a version that the hub does not speak ends in failed; broken bytes are tried again", () => {
    expect(run([lost("protocol", { code: Code.FAILED_PRECONDITION })], live).state.phase).toBe("failed");
    expect(run([lost("protocol")], live).state.phase).toBe("backoff");
  });

  test("busy without a time waits in the slow tier", () => {
    expect(run([lost("busy")], live).effects).toContainEqual({
      type: "wait",
      wait: { kind: "slow", attempt: 0 },
    });
  });

  test("H1: a loss while the browser says offline waits for the network", () => {
    expect(run([lost("network", { online: false })], live).state.phase).toBe("offline");
  });

  test("a token is replaced once in a row", () => {
    const first = run([lost("auth")], live);
    expect(first.effects).toContainEqual({ type: "authenticate", because: "rejected" });
    expect(run([{ type: "token" }, lost("auth")], first.state).state.phase).toBe("needs-auth");
    const trusted: MachineEvent[] = [
      { type: "token" },
      { type: "welcome" },
      { type: "caught-up" },
      { type: "settled" },
    ];
    expect(run([...trusted, lost("auth")], first.state).state.phase).toBe("authenticating");
  });
});
