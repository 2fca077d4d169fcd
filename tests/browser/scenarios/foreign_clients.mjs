// connect-web and the official grpc-web in text mode, in a page of another origin.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { withBrowser } from "./support.mjs";

const clients = new URL("../../../clients/web/", import.meta.url);
const { build } = await import(createRequire(new URL("package.json", clients)).resolve("vite"));
const { HUB, ORIGIN } = process.env;

const { output } = (await build({
  configFile: false,
  root: fileURLToPath(clients),
  logLevel: "warn",
  build: { write: false, rollupOptions: { input: fileURLToPath(new URL("test/foreign/main.ts", clients)) } },
}));
const script = output.find((one) => one.type === "chunk").code;

const server = createServer((request, response) => {
  const isScript = request.url === "/main.js";
  response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
  response.end(isScript ? script : '<!doctype html><script type="module" src="/main.js"></script>');
});
await new Promise((resolve) => server.listen(Number(new URL(ORIGIN).port), "127.0.0.1", resolve));

try {
  await withBrowser(async (browser) => {
    const page = await browser.newPage();
    await page.goto(ORIGIN);
    await page.waitForFunction(() => window.judgeForeign);
    const said = await page.evaluate((hub) => window.judgeForeign(hub), HUB);
    assert.deepEqual(said, ["connect-web: passed", "grpc-web-text: passed"]);
    console.log(said);
  });
} finally {
  server.close();
}
