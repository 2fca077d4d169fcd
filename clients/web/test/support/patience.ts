import { vi } from "vitest";

/**
 * What a test waits for comes at once on an idle machine, and some time on a busy one: the bound is there for what hangs.
 * A bound that a test names itself stands.
 */
const PATIENCE = { timeout: 30_000, interval: 20 };

const { waitFor, waitUntil } = vi;

vi.waitFor = (callback, options) => waitFor(callback, bounded(options));
vi.waitUntil = (callback, options) => waitUntil(callback, bounded(options));

function bounded(options: Parameters<typeof waitFor>[1]) {
  return typeof options === "number" ? options : { ...PATIENCE, ...options };
}
