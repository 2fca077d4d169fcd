import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.{ts,tsx}"],
    exclude: ["test/browser/**", "test/pages/**"],
    restoreMocks: true,
    testTimeout: 5000,
  },
});
