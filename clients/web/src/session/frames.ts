import type { ServerFrame } from "../gen/shipspeak/realtime/v1/frame_pb.js";

/** How many events a frame brings. */
export function eventsIn({ runs }: ServerFrame): number {
  return runs.reduce((sum, run) => sum + run.events.length, 0);
}
