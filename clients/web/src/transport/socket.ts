import { errorFromStatus, RealtimeError } from "../errors.js";
import { Code } from "../gen/google/rpc/code_pb.js";
import { ErrorReason } from "../gen/shipspeak/realtime/v1/error_reason_pb.js";

/** Where the hub takes WebSockets, and what is spoken on them. */
export const SOCKET_PATH = "/v1/connect";
export const SUBPROTOCOL = "shipspeak.realtime.v1";

const NORMAL = 1000;
/** A session's own end has the close code 4000 + its status code, and the reason's name as text. */
const APPLICATION = 4000;
const LAST_CODE = Code.UNAUTHENTICATED;

/** Opens a WebSocket to the hub; fails by its events, as WebSockets do. */
export type OpenSocket = () => WebSocket;

/** How to open one to the hub at `baseUrl`; undefined where there are no WebSockets. */
export function socketOpener(baseUrl: string): OpenSocket | undefined {
  if (typeof globalThis.WebSocket !== "function") return undefined;
  return () => {
    const url = new URL(`${baseUrl}${SOCKET_PATH}`, globalThis.location?.href);
    url.protocol = url.protocol === "http:" ? "ws:" : "wss:";
    return new WebSocket(url, SUBPROTOCOL);
  };
}

/** What a close says; null = the session ended in good order. */
export function errorOfClose(code: number, reason: string): RealtimeError | null {
  if (code === NORMAL) return null;
  const status = code - APPLICATION;
  if (status > 0 && status <= LAST_CODE) {
    const known = ErrorReason[reason as keyof typeof ErrorReason] ?? ErrorReason.UNSPECIFIED;
    return errorFromStatus(status, reason, { reason: known });
  }
  return new RealtimeError(`The WebSocket was closed with ${code}.`, { kind: "network" });
}
