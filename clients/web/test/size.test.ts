import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";

const SRC = fileURLToPath(new URL("../src/", import.meta.url));
const REACT = ["react", "react-dom", "react/jsx-runtime", "react-dom/client"];

/** Bytes of what a page loads at first for a module: minified, gzipped, without what it imports only when asked. */
async function size(code: string, external: readonly string[] = REACT): Promise<number> {
  const made = await build({
    stdin: { contents: code, resolveDir: SRC, loader: "ts" },
    bundle: true,
    minify: true,
    format: "esm",
    splitting: true,
    outdir: "out",
    metafile: true,
    target: "es2022",
    jsx: "automatic",
    external: [...external],
    loader: { ".css": "empty" },
    write: false,
    logLevel: "error",
  });
  const { outputs } = made.metafile;
  const wanted = new Set(Object.keys(outputs).filter((name) => outputs[name]?.entryPoint === "<stdin>"));
  for (const name of wanted) {
    for (const one of outputs[name]?.imports ?? [])
      if (one.kind === "import-statement" && !one.external) wanted.add(one.path);
  }
  const files = made.outputFiles.filter((file) => [...wanted].some((name) => file.path.endsWith(name)));
  return files.reduce((sum, file) => sum + gzipSync(file.contents, { level: 9 }).length, 0);
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
  const oneImport = await size(`export { useMeetingProgress } from "./react/index.js"`, [
    ...REACT,
    "@bufbuild/protobuf*",
  ]);
  const sizes = {
    wire,
    core,
    hooks,
    ui: all - withHooks,
    css,
    firstLoad: withHooks,
    everything: all,
    oneImport,
  };
  process.stdout.write(`bytes, minified and gzipped: ${JSON.stringify(sizes)}\n`);
  const over = Object.entries(BUDGET).filter(([name, most]) => sizes[name as keyof typeof sizes] > most);
  expect(over.map(([name, most]) => `${name}: ${sizes[name as keyof typeof sizes]} > ${most}`)).toEqual([]);
});

/**
 * `wire` is the protobuf runtime with the generated messages; `core` all that is ours without React; `firstLoad` both,
 * and the hooks; `everything` the components too, of which a page pays for those that it uses.
 */
const BUDGET = {
  wire: 30_000,
  core: 33_000,
  hooks: 3500,
  ui: 9500,
  css: 4500,
  firstLoad: 65_000,
  everything: 74_500,
  oneImport: 6000,
};
