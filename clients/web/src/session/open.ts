import type { Rung } from "../connection/ladder.js";
import type { SessionContext } from "./context.js";
import { PollSession } from "./poll-session.js";
import type { Session, SessionEvents } from "./session.js";
import { SocketWire } from "./socket-wire.js";
import { StreamSession } from "./stream-session.js";
import { ListenWire } from "./wire.js";

/** A session on one rung of the ladder, not started yet. */
export function sessionOn(rung: Rung, context: SessionContext, events: SessionEvents): Session {
  switch (rung) {
    case "stream":
      return new StreamSession(context, { rung, wire: (signal) => new ListenWire(context, signal) }, events);
    case "websocket":
      return new StreamSession(context, { rung, wire: (signal) => new SocketWire(context, signal) }, events);
    case "longpoll":
    case "poll":
      return new PollSession(context, rung, events);
  }
}
