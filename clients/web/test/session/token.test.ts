import { describe, expect, test } from "vitest";
import { type TokenReason, TokenSource, timesOf } from "../../src/session/token.js";
import { TestEnvironment } from "../support/environment.js";

function jwt(exp: number): string {
  return `h.${btoa(JSON.stringify({ exp }))}.s`;
}

test("a token is asked for once, kept, and replaced when it ends soon", async () => {
  const environment = new TestEnvironment();
  const reasons: TokenReason[] = [];
  let leftSeconds = 600;
  const source = new TokenSource(
    ({ reason }) => {
      reasons.push(reason);
      return jwt(environment.now() / 1000 + leftSeconds);
    },
    environment,
    1000,
  );
  await Promise.all([source.get("initial"), source.get("initial")]);
  await source.get("initial");
  expect(reasons).toEqual(["initial"]);
  leftSeconds = 10;
  await source.get("rejected");
  await source.get("initial");
  expect(reasons).toEqual(["initial", "rejected", "expiring"]);
});

test("what a signed-out user's request brings is not kept, and the next user has a request of its own", async () => {
  const answers: ((token: string) => void)[] = [];
  const source = new TokenSource(
    () => new Promise<string>((resolve) => answers.push(resolve)),
    new TestEnvironment(),
    60_000,
  );
  const before = source.get("initial");
  source.forget();
  const after = source.get("initial");
  answers[0]?.("old");
  await expect(before).rejects.toMatchObject({ kind: "aborted" });
  expect(source.current).toBe("");
  const shared = source.get("initial");
  answers[1]?.("new");
  expect(await Promise.all([after, shared])).toEqual(["new", "new"]);
  expect(answers).toHaveLength(2);
  expect(source.current).toBe("new");
});

test.each([
  ["throws", () => Promise.reject(new Error("down"))],
  ["never answers", () => new Promise<string>(() => {})],
])("a source that %s is the network's fault", async (_name, getToken) => {
  const source = new TokenSource(getToken, new TestEnvironment(), 5);
  await expect(source.get("initial")).rejects.toMatchObject({ kind: "network" });
});

test("without a source calls go without a token", async () => {
  expect(await new TokenSource(undefined, new TestEnvironment(), 5).get("initial")).toBe("");
});

test.each(["", "abc", "a.b.c", `h.${btoa("null")}.s`, `h.${btoa('{"exp":"soon"}')}.s`])(
  "the end of %j is not known",
  (token) => expect(timesOf(token)).toEqual({ expMs: null, iatMs: null }),
);

describe("D4: when a running session gets a new token", () => {
  const HOUR = 3600;

  async function renewAt(claims: { exp?: number; iat?: number }, random = 0): Promise<number | null> {
    const environment = new TestEnvironment();
    environment.randomValue = random;
    environment.now = () => 1_000_000_000;
    const source = new TokenSource(() => `h.${btoa(JSON.stringify(claims))}.s`, environment, 1000);
    await source.get("initial");
    return source.renewAt === null ? null : source.renewAt - 1_000_000_000;
  }
  const now = 1_000_000;

  test("at 80 % of its life, up to 30 s earlier by chance", async () => {
    expect(await renewAt({ iat: now, exp: now + HOUR })).toBe(0.8 * HOUR * 1000);
    expect(await renewAt({ iat: now, exp: now + HOUR }, 0.5)).toBe(0.8 * HOUR * 1000 - 15_000);
    expect(await renewAt({ iat: now, exp: now + 10 }, 1)).toBe(8000 - 1000);
    expect(await renewAt({ exp: now + HOUR })).toBe(0.8 * HOUR * 1000);
  });

  test("a token from a cache has less time left", async () => {
    expect(await renewAt({ iat: now - HOUR / 2, exp: now + HOUR / 2 })).toBeCloseTo(0.3 * HOUR * 1000, 3);
  });

  test("with a wrong clock its life counts from its coming", async () => {
    expect(await renewAt({ iat: now + 2 * HOUR, exp: now + 3 * HOUR })).toBe(0.8 * HOUR * 1000);
    expect(await renewAt({ iat: now - 3 * HOUR, exp: now - 2 * HOUR })).toBe(0.8 * HOUR * 1000);
  });

  test("what cannot be read, and a token that comes again, wait for the hub's word", async () => {
    expect(await renewAt({ exp: now - 1 })).toBeNull();
    expect(await renewAt({})).toBeNull();
    const environment = new TestEnvironment();
    const source = new TokenSource(() => jwt(9_999_999_999), environment, 1000);
    await source.get("initial");
    expect(source.renewAt).not.toBeNull();
    await source.renew("expiring");
    expect(source.renewAt).toBeNull();
  });
});
