import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Loss, NO_EVIDENCE } from "../../src/connection/evidence.js";
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

function lost(kind: ErrorKind, { code, ...more }: Partial<Loss> & { code?: Code } = {}): MachineEvent {
  const error = new RealtimeError(kind, { kind, code: code ?? null });
  const usual = { at: 0, online: true, unaryWorks: false, hiding: false, livedMs: null, waiting: false };
  return { type: "lost", error, ...usual, ...more };
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
  { type: "waited" },
  { type: "stepped-up", to: "stream" },
  { type: "retry" },
  { type: "hiding", at: 0 },
  { type: "suspend" },
  { type: "resume" },
];
const anyEvent: fc.Arbitrary<MachineEvent> = fc.oneof(
  fc.constantFrom(...plainEvents),
  fc
    .record({
      kind: fc.constantFrom(...KINDS),
      online: fc.boolean(),
      unaryWorks: fc.boolean(),
      hiding: fc.boolean(),
      waiting: fc.boolean(),
      livedMs: fc.constantFrom(null, 100, 60_000),
      at: fc.nat(200_000),
    })
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
  suspended: { type: "resume" },
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
  const live: MachineState = { ...INITIAL, phase: "live" };
  const again: MachineEvent[] = [{ type: "retry" }, { type: "token" }];
  const back: MachineEvent[] = [...again, { type: "welcome" }, { type: "caught-up" }];

  test("G1r: each rung that is refused as such leads to the next one at once", () => {
    const { state, effects } = run([lost("unsupported")], connecting);
    expect(state).toMatchObject({ phase: "connecting", rung: "websocket" });
    expect(effects).toEqual([
      { type: "drop" },
      { type: "stepped", from: "stream", to: "websocket", reason: "unsupported" },
      { type: "open", rung: "websocket" },
    ]);
    expect(run([lost("unsupported")], state).state).toMatchObject({ phase: "connecting", rung: "longpoll" });
  });

  test("a rung that is not on this client's ladder is passed over", () => {
    const state: MachineState = { ...connecting, ladder: ["stream", "longpoll", "poll"] };
    expect(run([lost("unsupported")], state).state.rung).toBe("longpoll");
  });

  test("two failures while single calls work mean the next rung; with the hub down in between they do not", () => {
    const fails = lost("network", { unaryWorks: true });
    expect(run([fails, ...again, fails], connecting).state.rung).toBe("websocket");
    expect(run([fails, ...again, lost("network"), ...again, fails], connecting).state.rung).toBe("stream");
  });

  test("a WebSocket that cannot be opened does not say why: once is enough", () => {
    const fails = lost("network", { unaryWorks: true });
    expect(run([fails], { ...connecting, rung: "websocket" }).effects).toContainEqual({
      type: "stepped",
      from: "websocket",
      to: "longpoll",
      reason: "failing",
    });
  });

  test("held back on the way", () => {
    const { effects } = run([lost("unsupported", { unaryWorks: true })], connecting);
    expect(effects[1]).toMatchObject({ type: "stepped", reason: "blocked" });
  });

  test("three short lives within a minute mean the next rung; longer lives and older ones do not count", () => {
    const cut = (at: number, livedMs = 3000) => lost("network", { at, livedMs });
    const three = [cut(1000), ...back, cut(9000), ...back, cut(20_000)];
    expect(run(three, live).state).toMatchObject({ rung: "websocket", phase: "connecting" });
    expect(run([cut(1000), ...back, cut(9000), ...back, cut(90_000)], live).state.rung).toBe("stream");
    expect(run([cut(1000), ...back, cut(9000), ...back, cut(20_000, 11_000)], live).state.rung).toBe(
      "stream",
    );
  });

  test("a hub that is away between two short lives explains them", () => {
    const cut = (at: number) => lost("network", { at, livedMs: 3000 });
    const away = [cut(1000), ...again, lost("network"), ...back, cut(9000), ...back, cut(20_000)];
    expect(run(away, live).state.rung).toBe("stream");
  });

  test("two waits in a row that are cut, or one gateway's time-out, mean polling at intervals", () => {
    const polling: MachineState = { ...live, rung: "longpoll" };
    const cut = lost("network", { waiting: true, livedMs: 30_000 });
    expect(run([cut, ...back, cut], polling).state.rung).toBe("poll");
    expect(run([cut, ...back, { type: "waited" }, cut], polling).state.rung).toBe("longpoll");
    const timeout = lost("timeout", { waiting: true, code: Code.DEADLINE_EXCEEDED });
    expect(run([timeout], polling).state.rung).toBe("poll");
  });

  test.each(["longpoll", "poll"] as const)(
    "%s that is refused as such means the top again, after a wait",
    (rung) => {
      const { state } = run([lost("unsupported")], { ...connecting, rung });
      expect(state).toMatchObject({ phase: "backoff", rung: "stream" });
    },
  );

  test("a poller keeps polling through losses and climbs when the stream is there", () => {
    const polling: MachineState = { ...live, rung: "longpoll" };
    expect(run([lost("network")], polling).state).toMatchObject({ phase: "backoff", rung: "longpoll" });
    expect(run([{ type: "stepped-up", to: "stream" }], polling)).toMatchObject({
      state: { phase: "live", rung: "stream" },
      effects: [{ type: "stepped", from: "longpoll", to: "stream", reason: "probed" }],
    });
  });
});

describe("a page that goes out of sight", () => {
  const live: MachineState = { ...INITIAL, phase: "live" };
  const back: MachineEvent[] = [
    { type: "retry" },
    { type: "token" },
    { type: "welcome" },
    { type: "caught-up" },
  ];

  test("what it loses meanwhile counts neither against the rung nor as an attempt", () => {
    const hiding = lost("network", { hiding: true, livedMs: 100 });
    const { state } = run([hiding, ...back, hiding, ...back, hiding], live);
    expect(state).toMatchObject({ rung: "stream", phase: "backoff", attempt: 0 });
    expect(state.evidence).toEqual(NO_EVIDENCE);
  });

  test("nor does what it lost in the moment before", () => {
    const cut = (at: number) => lost("network", { at, livedMs: 100 });
    const hides: MachineEvent[] = [cut(1000), { type: "hiding", at: 1200 }, ...back];
    expect(run([...hides, cut(9000), ...back, cut(12_000)], live).state.rung).toBe("stream");
    expect(
      run([cut(1000), { type: "hiding", at: 4000 }, ...back, cut(9000), ...back, cut(12_000)], live).state
        .rung,
    ).toBe("websocket");
  });

  test("frozen or left it holds nothing, and connects at once when it returns", () => {
    const { state, effects } = run([{ type: "suspend" }], { ...live, attempt: 5 });
    expect(state).toMatchObject({ phase: "suspended", attempt: 0 });
    expect(effects).toEqual([{ type: "drop" }]);
    expect(run([lost("network"), { type: "hiding", at: 0 }], state).state).toBe(state);
    expect(run([{ type: "resume" }], state)).toMatchObject({
      state: { phase: "authenticating" },
      effects: [{ type: "authenticate", because: "initial" }],
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
