import type { RealtimeClient } from "../client.js";

/** Clients whose user has signed out and that have not connected since: nothing of theirs is written down. */
export const signedOut = new WeakSet<RealtimeClient>();
