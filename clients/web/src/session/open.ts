import type { Rung } from "../connection/ladder.js";
import type { SessionContext } from "./context.js";
import { PollSession } from "./poll-session.js";
import type { Session, SessionEvents } from "./session.js";
import { SocketWire } from "./socket-wire.js";
import { StreamSession } from "./stream-session.js";
import { ListenWire, type Wire } from "./wire.js";

/** Makes a session on one rung of the ladder, not started yet. */
export type OpenSession = (rung: Rung, events: SessionEvents) => Session;

/** A session with the hub on one rung, not started yet. `around` may listen in on a wire on which the hub pushes. */
export function sessionOn(
  rung: Rung,
  context: SessionContext,
  events: SessionEvents,
  around = (wire: Wire): Wire => wire,
): Session {
  switch (rung) {
    case "stream": {
      const wire = (signal: AbortSignal) => around(new ListenWire(context, signal));
      return new StreamSession(context, { rung, wire }, events);
    }
    case "websocket": {
      const wire = (signal: AbortSignal) => around(new SocketWire(context, signal));
      return new StreamSession(context, { rung, wire }, events);
    }
    case "longpoll":
    case "poll":
      return new PollSession(context, rung, events);
  }
}
