import { defineConfig } from "vite";

export default defineConfig({
  build: {
    target: "es2022",
    sourcemap: true,
    minify: false,
    cssCodeSplit: false,
    lib: {
      entry: { index: "src/index.ts", react: "src/react/index.ts", ui: "src/ui/index.ts" },
      formats: ["es"],
      cssFileName: "ui",
    },
    rollupOptions: { external: [/^react($|\/)/, /^react-dom($|\/)/, /^@bufbuild\/protobuf/] },
  },
});
