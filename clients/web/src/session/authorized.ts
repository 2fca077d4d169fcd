import { RealtimeError } from "../errors.js";
import type { SessionContext } from "./context.js";

/**
 * Makes a call with a fit token, and once more with a new one when the hub refuses that. Fails with RealtimeError:
 * what the call failed with, or `auth` when nobody is signed in.
 */
export async function authorized<T>({ tokens }: SessionContext, call: () => Promise<T>): Promise<T> {
  const used = signedIn(await tokens.get("initial"));
  try {
    return await call();
  } catch (thrown) {
    if (!(thrown instanceof RealtimeError) || thrown.kind !== "auth") throw thrown;
    // Another call may have renewed the token meanwhile.
    const next = tokens.current === used ? signedIn(await tokens.get("rejected")) : tokens.current;
    if (next === used) throw thrown;
    return call();
  }
}

function signedIn(token: string | null): string {
  if (token === null) throw new RealtimeError("Nobody is signed in.", { kind: "auth" });
  return token;
}
