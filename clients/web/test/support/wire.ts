import type { ServerResponse } from "node:http";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Code } from "../../src/gen/google/rpc/code_pb.js";
import { ServerFrameSchema } from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";

export type FrameInit = MessageInitShape<typeof ServerFrameSchema>;

export function begin(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/grpc-web+proto" });
  response.flushHeaders();
}

function frame(flag: number, body: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flag);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

export function frameBytes(init: FrameInit): Uint8Array {
  return toBinary(ServerFrameSchema, create(ServerFrameSchema, init));
}

export function sendFrame(response: ServerResponse, init: FrameInit): void {
  response.write(frame(0, frameBytes(init)));
}

export function endWith(response: ServerResponse, code: Code, message = ""): void {
  response.end(
    frame(0x80, Buffer.from(`grpc-status: ${code}\r\ngrpc-message: ${encodeURIComponent(message)}\r\n`)),
  );
}

export function answer<O extends DescMessage>(
  response: ServerResponse,
  schema: O,
  init: MessageInitShape<O>,
): void {
  begin(response);
  response.write(frame(0, toBinary(schema, create(schema, init))));
  endWith(response, Code.OK);
}
