import type { MessageInitShape } from "@bufbuild/protobuf";
import { StepReason as Reason, type TransportStepSchema } from "../gen/shipspeak/realtime/v1/frame_pb.js";
import type { Rung, StepReason } from "./ladder.js";

/** A change of rung as it is told to the hub, once, in the first Hello on the rung that was taken. */
export type ToldStep = MessageInitShape<typeof TransportStepSchema>;

const NAMES: Readonly<Record<Rung, string>> = {
  stream: "grpc-web",
  websocket: "websocket",
  longpoll: "poll",
  poll: "adaptive-poll",
};

const REASONS: Readonly<Record<StepReason, Reason>> = {
  unsupported: Reason.BLOCKED,
  blocked: Reason.SILENT,
  failing: Reason.FAILED,
  cut: Reason.FAILED,
  probed: Reason.PROBED,
};

export function toldStep(from: Rung, reason: StepReason): ToldStep {
  return { left: NAMES[from], reason: REASONS[reason] };
}
