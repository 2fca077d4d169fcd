import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const BINARY = 2;
const CLOSE = 8;

/** One server end of a WebSocket (RFC 6455), as much of it as tests need: whole binary messages, close. */
export class ServerSocket {
  onMessage: (bytes: Uint8Array<ArrayBuffer>) => void = () => {};
  /** The close code of the client; 1006 when the connection broke off. */
  onClose: (code: number) => void = () => {};
  readonly #stream: Duplex;
  #pending = Buffer.alloc(0);
  #closed = false;

  constructor(request: IncomingMessage, stream: Duplex) {
    this.#stream = stream;
    const key = String(request.headers["sec-websocket-key"]);
    const accept = createHash("sha1").update(`${key}${GUID}`).digest("base64");
    const protocol = String(request.headers["sec-websocket-protocol"]);
    stream.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
    );
    stream.on("data", (chunk: Buffer) => this.#read(chunk));
    stream.on("close", () => this.#close(1006));
    stream.on("error", () => {});
  }

  send(bytes: Uint8Array): void {
    this.#write(BINARY, bytes);
  }

  /** Ends with a close frame, as a hub does. */
  close(code: number, reason = ""): void {
    const body = Buffer.alloc(2 + reason.length);
    body.writeUInt16BE(code);
    body.write(reason, 2);
    this.#write(CLOSE, body);
    this.#stream.end();
  }

  /** Breaks the connection off. */
  destroy(): void {
    this.#stream.destroy();
  }

  #write(opcode: number, body: Uint8Array): void {
    if (this.#closed) return;
    const long = body.length > 125;
    const head = Buffer.alloc(long ? 10 : 2);
    head.writeUInt8(0x80 | opcode);
    head.writeUInt8(long ? 127 : body.length, 1);
    if (long) head.writeBigUInt64BE(BigInt(body.length), 2);
    this.#stream.write(Buffer.concat([head, body]));
  }

  #read(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (let frame = this.#frame(); frame; frame = this.#frame()) {
      if (frame.opcode === BINARY) this.onMessage(new Uint8Array(frame.body));
      if (frame.opcode === CLOSE) {
        this.#close(frame.body.length < 2 ? 1005 : frame.body.readUInt16BE());
        this.#stream.end();
      }
    }
  }

  /** The next whole frame; clients mask theirs. */
  #frame(): { opcode: number; body: Buffer } | null {
    const data = this.#pending;
    if (data.length < 2) return null;
    const short = data.readUInt8(1) & 0x7f;
    const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
    const start = 2 + extra + 4;
    if (data.length < start) return null;
    const length = extra === 2 ? data.readUInt16BE(2) : extra === 8 ? Number(data.readBigUInt64BE(2)) : short;
    if (data.length < start + length) return null;
    const mask = data.subarray(start - 4, start);
    const body = Buffer.from(data.subarray(start, start + length));
    for (let at = 0; at < length; at += 1) body.writeUInt8(body.readUInt8(at) ^ mask.readUInt8(at % 4), at);
    this.#pending = data.subarray(start + length);
    return { opcode: data.readUInt8(0) & 0x0f, body };
  }

  #close(code: number): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onClose(code);
  }
}
