import { defineConfig } from "vitest/config";
import { COMMANDS } from "./test/engines/commands.js";
import { engines } from "./test/engines/programs.js";
import { installed } from "./test/engines/provider.js";

/** Tests of `test/browser`, and those of hooks and components, in each installed engine, one engine after the other. */
export default defineConfig({
  // Found late, a dependency would make the page load again in the middle of a test.
  optimizeDeps: {
    include: [
      "@bufbuild/protobuf",
      "@bufbuild/protobuf/codegenv2",
      "@bufbuild/protobuf/wkt",
      "@testing-library/react",
      "@testing-library/user-event",
      "axe-core",
      "react",
      "react-dom",
      "react-dom/client",
      "react-dom/server",
      "react/jsx-dev-runtime",
      "react/jsx-runtime",
    ],
  },
  test: {
    include: ["test/{browser,react,ui}/**/*.test.{ts,tsx}"],
    setupFiles: ["test/support/patience.ts"],
    restoreMocks: true,
    fileParallelism: false,
    // Generous: the bound is there for what hangs, not for what is slow on a busy machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 60_000,
    browser: {
      enabled: true,
      headless: true,
      ui: false,
      screenshotFailures: false,
      connectTimeout: 180_000,
      provider: installed,
      commands: COMMANDS as never,
      instances: engines().map((browser) => ({ browser })) as never,
    },
  },
});
