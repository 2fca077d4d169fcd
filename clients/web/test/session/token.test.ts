import { expect, test } from "vitest";
import { expiryMs, type TokenReason, TokenSource } from "../../src/session/token.js";
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
  (token) => expect(expiryMs(token)).toBeNull(),
);
