import { fromBinary } from "@bufbuild/protobuf";
import { Code } from "../../src/gen/google/rpc/code_pb.js";
import { ErrorReason } from "../../src/gen/shipspeak/realtime/v1/error_reason_pb.js";
import { type ClientFrame, ClientFrameSchema } from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";
import type { Listener, TestHub } from "./test-hub.js";
import type { ServerSocket } from "./web-socket-server.js";
import { type FrameInit, frameBytes } from "./wire.js";

/** Serves one session of the test's hub on a WebSocket: the frames of Connect. */
export function serveSocket(socket: ServerSocket, hub: TestHub): void {
  const send = (frame: FrameInit) => socket.send(frameBytes(frame));
  const listener: Listener = { send, cut: () => socket.destroy(), topics: new Set() };
  let sessionId = "";
  socket.onClose = (code) => {
    hub.closeCodes.push(code);
    hub.gone(sessionId);
  };
  socket.onMessage = (bytes) => {
    const message = fromBinary(ClientFrameSchema, bytes);
    const { frame } = message;
    hub.calls.push(frame.case ?? "");
    if (frame.case !== "hello") command(message, listener, hub);
    else {
      hub.tokens.push(`Bearer ${frame.value.token}`);
      hub.steps.push(frame.value.step);
      if (hub.refuse) socket.close(4000 + hub.refuse.code, hub.refuse.message);
      else sessionId = hub.welcome(listener);
    }
  };
}

function command({ requestId, frame }: ClientFrame, { send, topics }: Listener, hub: TestHub): void {
  if (frame.case === "subscribe") {
    topics.add(frame.value.topic);
    for (const answer of hub.log.answer(frame.value)) send(answer);
  } else if (frame.case === "unsubscribe") {
    topics.delete(frame.value.topic);
    send({ control: { case: "unsubscribed", value: { requestId, topic: frame.value.topic } } });
  } else if (frame.case === "ping") {
    send({ control: { case: "pong", value: { nonce: frame.value.nonce } } });
  } else if (frame.case === "window") {
    hub.touches.push(frame.value.handledBytes);
  } else if (frame.case === "refreshToken") {
    hub.refreshed.push(frame.value.token);
    send({ control: { case: "tokenAccepted", value: { requestId } } });
  } else if (frame.case === "presence") {
    hub.present.push(frame.value);
    const { topic } = frame.value;
    const value = { requestId, topic, code: Code.PERMISSION_DENIED, reason: ErrorReason.RIGHT_MISSING };
    if (hub.refusesPresence) send({ control: { case: "error", value } });
  }
}
