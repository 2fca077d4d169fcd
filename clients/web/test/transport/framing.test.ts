import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeFrame, FrameReader, MAX_FRAME_BYTES, type WebFrame } from "../../src/transport/framing.js";

function trailer(text: string): Uint8Array {
  const frame = encodeFrame(new TextEncoder().encode(text));
  frame[0] = 0x80;
  return frame;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

describe("FrameReader", () => {
  test("gives the same frames however the bytes are cut", () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 });
    fc.assert(
      fc.property(bodies, fc.array(fc.integer({ min: 1, max: 17 }), { minLength: 1 }), (messages, sizes) => {
        const bytes = concat([...messages.map((body) => encodeFrame(body)), trailer("grpc-status: 0\r\n")]);
        const reader = new FrameReader();
        const frames: WebFrame[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] as number;
          frames.push(...reader.push(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(frames.map((frame) => frame.kind)).toEqual([...messages.map(() => "message"), "trailer"]);
        expect(frames.slice(0, -1).map((frame) => frame.kind === "message" && [...frame.body])).toEqual(
          messages.map((body) => [...body]),
        );
      }),
    );
  });

  test("reads trailer fields without regard to case and blanks", () => {
    const [frame] = new FrameReader().push(trailer("Grpc-Status:5\r\ngrpc-message:  not%20here \r\n"));
    expect(frame?.kind === "trailer" && Object.fromEntries(frame.fields)).toEqual({
      "grpc-status": "5",
      "grpc-message": "not%20here",
    });
  });

  const compressed = encodeFrame(new Uint8Array(3));
  compressed[0] = 1;
  const oversize = encodeFrame(new Uint8Array(0));
  new DataView(oversize.buffer).setUint32(1, MAX_FRAME_BYTES + 1);
  test.each([
    ["a compressed frame", compressed],
    ["an oversize frame", oversize],
    ["a message after the trailer", concat([trailer("grpc-status: 0"), encodeFrame(new Uint8Array(1))])],
    ["half a frame after the trailer", concat([trailer("grpc-status: 0"), new Uint8Array(2)])],
    ["a trailer line without a name", trailer("grpc-status 0")],
  ])("refuses %s", (_name, bytes) => {
    expect(() => new FrameReader().push(bytes)).toThrow(expect.objectContaining({ kind: "protocol" }));
  });

  test("refuses bytes in a later chunk than the trailer's", () => {
    const reader = new FrameReader();
    reader.push(trailer("grpc-status: 0"));
    expect(() => reader.push(new Uint8Array(1))).toThrow(expect.objectContaining({ kind: "protocol" }));
  });
});
