import { defineConfig } from "vite";

const CLIENT_ENTRIES: ReadonlySet<string> = new Set(["react", "ui"]);

export default defineConfig({
  build: {
    target: "es2022",
    // light-dark() stays what it is: rewritten, it would not see a scheme that the page sets.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    sourcemap: true,
    minify: false,
    cssCodeSplit: false,
    lib: {
      entry: { index: "src/index.ts", react: "src/react/index.ts", ui: "src/ui/index.ts" },
      formats: ["es"],
      cssFileName: "ui",
    },
    rollupOptions: {
      external: [/^react($|\/)/, /^react-dom($|\/)/, /^@bufbuild\/protobuf/],
      // Frameworks that render on a server take these entries as code for the browser.
      output: { banner: (chunk) => (CLIENT_ENTRIES.has(chunk.name) ? '"use client";' : "") },
    },
  },
});
