import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/** The page that shows every component in every state: `npx vite test/gallery`. */
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  logLevel: "warn",
  build: {
    target: "es2022",
    outDir: "dist",
    emptyOutDir: true,
    rollupOptions: {
      input: ["index.html", "load.html"].map((name) => fileURLToPath(new URL(name, import.meta.url))),
    },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    modulePreload: { polyfill: false },
  },
});
