import { create } from "@bufbuild/protobuf";
import { expect, test, vi } from "vitest";
import { Code } from "../../src/gen/google/rpc/code_pb.js";
import { ErrorReason } from "../../src/gen/shipspeak/realtime/v1/error_reason_pb.js";
import { ServerFrameSchema } from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";
import { PresenceBook } from "../../src/presence/book.js";
import { toDuration } from "../../src/time.js";
import { TopicRegistry } from "../../src/topics/registry.js";
import { TestEnvironment } from "../support/environment.js";

const REFUSED = create(ServerFrameSchema, {
  control: {
    case: "error",
    value: {
      topic: "meeting/42",
      code: Code.UNAVAILABLE,
      reason: ErrorReason.SHARD_UNAVAILABLE,
      retryAfter: toDuration(1000),
    },
  },
});

test("a topic that is refused for now is asked for again once, spread over a while", () => {
  const environment = new TestEnvironment();
  environment.randomValue = 0.5;
  const planned = vi.spyOn(environment, "schedule").mockReturnValue(() => {});
  const onChange = vi.fn();
  const registry = new TopicRegistry(environment, () => {}, new PresenceBook(() => {}), {
    onChange,
    onReplay: () => {},
  });
  registry.subscribe("meeting/42", {});
  onChange.mockClear();
  registry.receive(REFUSED);
  registry.receive(REFUSED); // as each Poll says meanwhile
  expect(planned.mock.calls.map(([, ms]) => ms)).toEqual([1000 + 0.5 * 1200]);
  // What changes meanwhile asks for it no sooner, on whatever transport.
  expect(registry.subscriptions()).toEqual([]);
  planned.mock.calls[0]?.[0]();
  expect(registry.subscriptions()).toMatchObject([{ topic: "meeting/42" }]);
  expect(onChange).toHaveBeenCalledTimes(1);
  registry.receive(REFUSED);
  expect(planned).toHaveBeenCalledTimes(2);
});
