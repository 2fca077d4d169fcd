import { BackendError } from "../backend.js";

/** Large enough to be quick, small enough that a lost connection costs little. */
const CHUNK_BYTES = 256 * 1024;
const RETRY_MS = [500, 1000, 2000, 4000, 8000];

/**
 * Sends the rest of a file in chunks, from where the back end says it stands. A broken connection is resumed;
 * fails when the back end refuses, or after five failures in a row.
 */
export async function upload(send: typeof globalThis.fetch, url: string, file: File): Promise<void> {
  let failures = 0;
  let offset: number | null = null;
  while (offset === null || offset < file.size) {
    try {
      offset ??= await askOffset(send, url);
      if (offset < file.size) offset = await sendChunk(send, url, file, offset);
      failures = 0;
    } catch (error) {
      if (error instanceof BackendError && !isPassing(error.status)) throw error;
      const pauseMs = RETRY_MS[failures];
      if (pauseMs === undefined) throw error;
      failures += 1;
      offset = null;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

async function askOffset(send: typeof globalThis.fetch, url: string): Promise<number> {
  const response = await send(url, { method: "HEAD", cache: "no-store" });
  if (!response.ok) throw new BackendError(response.status, `The upload is gone (HTTP ${response.status}).`);
  return Number(response.headers.get("upload-offset"));
}

async function sendChunk(
  send: typeof globalThis.fetch,
  url: string,
  file: File,
  offset: number,
): Promise<number> {
  const response = await send(url, {
    method: "PATCH",
    headers: { "content-type": "application/offset+octet-stream", "upload-offset": String(offset) },
    body: file.slice(offset, offset + CHUNK_BYTES),
  });
  if (!response.ok)
    throw new BackendError(response.status, `The upload was refused (HTTP ${response.status}).`);
  return Number(response.headers.get("upload-offset"));
}

/** Another offset than thought, a rival upload, or a back end that is just coming back: ask again. */
function isPassing(status: number): boolean {
  return status === 409 || status === 423 || status >= 500;
}
