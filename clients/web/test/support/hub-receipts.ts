import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "../../src/gen/google/rpc/code_pb.js";
import { ErrorReason } from "../../src/gen/shipspeak/realtime/v1/error_reason_pb.js";
import {
  type AcknowledgeRequest,
  type AcknowledgeResultSchema,
  Verb,
} from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";
import { ReceiptState } from "../../src/gen/shipspeak/realtime/v1/notification_pb.js";
import type { ContentInit, HubLog } from "./hub-log.js";

type ResultInit = MessageInitShape<typeof AcknowledgeResultSchema>;
type Store = (topic: string, content: ContentInit, id: string) => void;

const STATES: Record<number, ReceiptState> = {
  [Verb.READ]: ReceiptState.READ,
  [Verb.DISMISS]: ReceiptState.DISMISSED,
  [Verb.WITHDRAW]: ReceiptState.WITHDRAWN,
};

/** What the test's hub answers to acknowledgements, and stores: beside the event, or in the user's own topic. */
export function acknowledged(
  log: HubLog,
  userTopic: string,
  { acks, deviceId }: AcknowledgeRequest,
  store: Store,
): ResultInit[] {
  return acks.map(({ target, verb }) => {
    const offsets = target.case === "event" ? log.named(target.value) : [];
    if (target.case !== "event" || offsets.length === 0) {
      return { error: { code: Code.NOT_FOUND, reason: ErrorReason.EVENT_UNKNOWN } };
    }
    const { topic, eventId } = target.value;
    const own = topic.startsWith("user/") || verb === Verb.WITHDRAW;
    const holding = offsets.map((offset) => {
      const event = log.content(topic, offset);
      const gone = own && (event === null || event.untilAcknowledged === true);
      const state = gone ? ReceiptState.WITHDRAWN : (STATES[verb] ?? ReceiptState.UNSPECIFIED);
      if (state === ReceiptState.WITHDRAWN) log.withdraw(topic, offset);
      const home = own ? topic : userTopic;
      const id = `~${topic}.${offset}.${state}`;
      const value = { eventId, state, deviceId, offset, topic: own ? "" : topic };
      store(home, { payload: { case: "receipt", value } }, id);
      const receipt = log.receipt(home, id)?.payload;
      return receipt?.case === "receipt" && receipt.value.deviceId === deviceId;
    });
    return { first: holding.includes(true) };
  });
}
