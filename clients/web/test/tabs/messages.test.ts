import fc from "fast-check";
import { expect, test } from "vitest";
import { readMessage, TABS_VERSION, termAfter } from "../../src/tabs/messages.js";
import { scopeName } from "../../src/tabs/scope.js";

test("a term is greater than the one before it, whatever the clock says", () => {
  const clock = fc.nat({ max: 2 ** 43 });
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.array(fc.tuple(clock, random), { minLength: 2 }), (moments) => {
      let last = "";
      for (const [now, chance] of moments) {
        const next = termAfter(last, now, chance);
        expect(next > last).toBe(true);
        last = next;
      }
    }),
  );
});

test("what is not of this version is not heard", () => {
  const good = { v: TABS_VERSION, from: "a", term: "", kind: "hello" };
  expect(readMessage(good)).toBe(good);
  for (const bad of [{ v: 2 }, { from: 1 }, { term: null }, { kind: "other" }, { kind: 1 }]) {
    expect(readMessage({ ...good, ...bad })).toBeNull();
  }
  fc.assert(fc.property(fc.anything(), (data) => readMessage(data) === null));
});

test("two scopes have two names", () => {
  const part = fc.string({ unit: fc.constantFrom("a", ":", "%", "/") });
  const scope = fc.record({ baseUrl: part, namespace: part, identity: part });
  fc.assert(
    fc.property(scope, scope, (one, other) => {
      const same = JSON.stringify(one) === JSON.stringify(other);
      expect(scopeName(one) === scopeName(other)).toBe(same);
    }),
  );
});
