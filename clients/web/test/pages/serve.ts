import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const GALLERY = fileURLToPath(new URL("../gallery/", import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
};
/** Nothing inline, nothing from elsewhere, and no text is made into markup. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; require-trusted-types-for 'script'; trusted-types 'none'; base-uri 'none'";

export interface Served {
  /** Address of a page, such as `index.html`. */
  url(page: string): string;
  close(): Promise<void>;
}

/** Builds the gallery and serves it under a strict policy. */
export async function serveGallery(): Promise<Served> {
  await buildForProduction();
  const root = join(GALLERY, "dist");
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://local").pathname);
    const body = await readFile(join(root, path)).catch(() => null);
    response.writeHead(body ? 200 : 404, {
      "content-type": TYPES[extname(path)] ?? "application/octet-stream",
      "content-security-policy": POLICY,
    });
    response.end(body ?? "");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: (page) => `http://127.0.0.1:${port}/${page}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** As an application is built: Vitest's NODE_ENV would give React's development build, which costs many times more. */
async function buildForProduction(): Promise<void> {
  const before = process.env["NODE_ENV"];
  process.env["NODE_ENV"] = "production";
  try {
    await build({ configFile: join(GALLERY, "vite.config.ts"), mode: "production" });
  } finally {
    process.env["NODE_ENV"] = before;
  }
}
