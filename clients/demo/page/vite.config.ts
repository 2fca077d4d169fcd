import { defineConfig } from "vite";

/** The page; the hub serves the built folder at `/`. */
export default defineConfig({
  base: "./",
  build: { outDir: "../dist", emptyOutDir: true, target: "es2022", sourcemap: true },
});
