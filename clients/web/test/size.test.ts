import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";

const SRC = fileURLToPath(new URL("../src/", import.meta.url));
const REACT = ["react", "react-dom", "react/jsx-runtime", "react-dom/client"];

/** Bytes of a module's bundle, minified and gzipped. */
async function size(code: string, external: readonly string[] = REACT): Promise<number> {
  const made = await build({
    stdin: { contents: code, resolveDir: SRC, loader: "ts" },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    external: [...external],
    loader: { ".css": "empty" },
    write: false,
    logLevel: "error",
  });
  return gzipSync(made.outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length;
}

async function cssSize(): Promise<number> {
  const made = await build({ entryPoints: [`${SRC}ui/ui.css`], bundle: true, minify: true, write: false });
  return gzipSync(made.outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length;
}

const GENERATED = "./gen/shipspeak/realtime/v1/*";
const CORE = `export * from "./index.js"`;

// What a page loads. A budget is raised on purpose only, with its reason in the commit.
test("the sizes of what a page loads, minified and gzipped, stay in their budgets", async () => {
  // What every user of protobuf messages has: its runtime and the generated code.
  const wire = await size(
    ["realtime_service", "event", "frame", "meeting", "practice", "notification", "error_reason"]
      .map((name) => `export * from "${GENERATED.replace("*", `${name}_pb.js`)}";`)
      .join("\n"),
  );
  const core = (await size(CORE)) - wire;
  const withHooks = await size(`${CORE}; export * from "./react/index.js"`);
  const hooks = withHooks - (await size(CORE));
  const all = await size(`${CORE}; export * from "./react/index.js"; export * from "./ui/index.js"`);
  const css = await cssSize();
  const oneImport = await size(`export { useMeetingProgress } from "./react/index.js"`, [...REACT, "@bufbuild/protobuf*"]);
  const sizes = { wire, core, hooks, ui: all - withHooks, css, firstLoad: all, oneImport };
  process.stdout.write(`bytes, minified and gzipped: ${JSON.stringify(sizes)}\n`);
  const over = Object.entries(BUDGET).filter(([name, most]) => sizes[name as keyof typeof sizes] > most);
  expect(over.map(([name, most]) => `${name}: ${sizes[name as keyof typeof sizes]} > ${most}`)).toEqual([]);
});

const BUDGET = {
  core: 16_000,
  hooks: 3500,
  ui: 8000,
  css: 4000,
  firstLoad: 52_000,
  oneImport: 6000,
};
