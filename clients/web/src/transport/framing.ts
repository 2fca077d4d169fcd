import { RealtimeError } from "../errors.js";

/** Flag of a trailer frame (gRPC-Web protocol, "Message framing"). */
const TRAILER_FLAG = 0x80;
const PREFIX_BYTES = 5;

/** Larger than any frame the hub may send; protects against bytes that are no grpc-web. */
export const MAX_FRAME_BYTES = 8 * 1024 * 1024;

export type WebFrame =
  | { readonly kind: "message"; readonly body: Uint8Array<ArrayBuffer> }
  | { readonly kind: "trailer"; readonly fields: ReadonlyMap<string, string> };

/** One message with its prefix: flag byte, then the length as four bytes, big end first. */
export function encodeFrame(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(PREFIX_BYTES + body.length);
  new DataView(frame.buffer).setUint32(1, body.length);
  frame.set(body, PREFIX_BYTES);
  return frame;
}

/**
 * Cuts a grpc-web body into frames, whatever the chunks are. Raises RealtimeError `protocol` for compressed or
 * unknown flags, oversize frames and anything after the trailer.
 */
export class FrameReader {
  #pending = new Uint8Array(0);
  #ended = false;

  /** All frames that `chunk` completes. */
  push(chunk: Uint8Array): WebFrame[] {
    this.#append(chunk);
    const frames: WebFrame[] = [];
    let at = 0;
    while (this.#pending.length - at >= PREFIX_BYTES) {
      const flag = this.#pending[at] as number;
      const length = new DataView(this.#pending.buffer, this.#pending.byteOffset + at + 1).getUint32(0);
      this.#check(flag, length);
      const end = at + PREFIX_BYTES + length;
      if (end > this.#pending.length) break;
      frames.push(this.#decode(flag, this.#pending.slice(at + PREFIX_BYTES, end)));
      at = end;
    }
    if (this.#ended && at < this.#pending.length) throw broken("bytes after the trailer");
    this.#pending = this.#pending.subarray(at);
    return frames;
  }

  #append(chunk: Uint8Array): void {
    if (this.#ended && chunk.length > 0) throw broken("bytes after the trailer");
    const joined = new Uint8Array(this.#pending.length + chunk.length);
    joined.set(this.#pending);
    joined.set(chunk, this.#pending.length);
    this.#pending = joined;
  }

  #check(flag: number, length: number): void {
    if (this.#ended) throw broken("a frame after the trailer");
    if (flag !== 0 && flag !== TRAILER_FLAG) throw broken(`unknown or compressed frame, flag ${flag}`);
    if (length > MAX_FRAME_BYTES) throw broken(`a frame of ${length} bytes`);
  }

  #decode(flag: number, body: Uint8Array<ArrayBuffer>): WebFrame {
    if (flag === 0) return { kind: "message", body };
    this.#ended = true;
    return { kind: "trailer", fields: parseTrailer(new TextDecoder().decode(body)) };
  }
}

function parseTrailer(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    if (line === "") continue;
    const colon = line.indexOf(":");
    if (colon <= 0) throw broken("a trailer line without a name");
    fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return fields;
}

function broken(what: string): RealtimeError {
  return new RealtimeError(`The answer is no valid grpc-web: ${what}.`, { kind: "protocol" });
}
