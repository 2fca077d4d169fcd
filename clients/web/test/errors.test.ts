import { expect, expectTypeOf, test } from "vitest";
import { aboutDraft, type ErrorKind } from "../src/errors.js";
import * as core from "../src/index.js";
import { OutboxFullError } from "../src/outbox/rows.js";

const CLASSES: readonly (readonly [ErrorKind, typeof core.RealtimeError])[] = [
  ["network", core.NetworkError],
  ["timeout", core.TimeoutError],
  ["unsupported", core.UnsupportedError],
  ["auth", core.AuthError],
  ["permission", core.PermissionError],
  ["protocol", core.ProtocolError],
  ["busy", core.BusyError],
  ["refused", core.RefusedError],
  ["unknown", core.OutcomeUnknownError],
  ["aborted", core.AbortedError],
];

test.each(CLASSES)("an error of kind %s is of its class, and of no other's", (kind, ofKind) => {
  const cause = new TypeError("below");
  const made = new core.RealtimeError("text", { kind, cause });
  for (const error of [made, aboutDraft(made, "1"), new ofKind("text", { kind, cause })]) {
    expect(error).toBeInstanceOf(core.RealtimeError);
    expect(CLASSES.filter(([, one]) => error instanceof one)).toEqual([[kind, ofKind]]);
    expect(error).toMatchObject({ name: "RealtimeError", message: "text", kind, cause });
  }
});

test("an outbox that is full has refused", () => {
  expect(new OutboxFullError("1")).toBeInstanceOf(core.RefusedError);
});

test("what is asked by instanceof is known to TypeScript", () => {
  const error: unknown = new core.RealtimeError("text", { kind: "busy", retryAfterMs: 5 });
  if (!(error instanceof core.BusyError)) throw error;
  expectTypeOf(error.kind).toEqualTypeOf<"busy">();
  expect(error.retryAfterMs).toBe(5);
});
