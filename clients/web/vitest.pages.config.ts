import { defineConfig } from "vitest/config";

/** Tests of `test/pages`: whole pages, driven from Node in the installed engines, one after the other. */
export default defineConfig({
  test: {
    // What depends on how busy the machine is, is measured only when asked for.
    include: process.env["BENCH"] ? ["test/pages/**/*.bench.ts"] : ["test/pages/**/*.test.ts"],
    restoreMocks: true,
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
