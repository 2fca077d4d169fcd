import { expect, test } from "vitest";
import { RungMemory } from "../../src/connection/memory.js";
import { TestEnvironment } from "../support/environment.js";

test("a rung is remembered for ten minutes, for each hub", () => {
  const environment = new TestEnvironment();
  let now = 1_000_000;
  environment.now = () => now;
  new RungMemory(environment, "https://a").save("longpoll");
  expect(new RungMemory(environment, "https://a").load()).toBe("longpoll");
  expect(new RungMemory(environment, "https://b").load()).toBeNull();
  now += 599_000;
  expect(new RungMemory(environment, "https://a").load()).toBe("longpoll");
  now += 2000;
  expect(new RungMemory(environment, "https://a").load()).toBeNull();
});

test.each([
  "",
  "nonsense",
  "null",
  "[]",
  '{"rung":"carrier pigeon","until":1000001}',
  '{"rung":"poll","until":9e15}',
])("what others wrote there (%j) is no memory", (text) => {
  const environment = new TestEnvironment();
  environment.now = () => 1_000_000;
  environment.kept.set("shipspeak-realtime:rung:", text);
  expect(new RungMemory(environment, "").load()).toBeNull();
});

test("without storage, or where it is forbidden, there is none, and nothing fails", () => {
  const environment = new TestEnvironment();
  for (const storage of [
    () => null,
    () => forbidden(),
    () => ({ getItem: forbidden, setItem: forbidden, removeItem: forbidden }),
  ]) {
    environment.storage = storage as typeof environment.storage;
    const memory = new RungMemory(environment, "");
    memory.save("poll");
    memory.save(null);
    expect(memory.load()).toBeNull();
  }
});

function forbidden(): never {
  throw new DOMException("denied", "SecurityError");
}
