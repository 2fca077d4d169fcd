import { browserEnvironment, type Environment, GrpcWebTransport, type Transport } from "@shipspeak/realtime";
import type { Faults } from "./faults.js";

/** A close code for applications: the client takes it as a lost connection. */
const CUT = 3000;

/** `fetch` over a network that has faults on request. */
export function faultyFetch(faults: Faults): typeof globalThis.fetch {
  return async (input, init) => {
    const signal = init?.signal ?? null;
    await passing(faults, signal);
    if (faults.getSnapshot().offline) throw new TypeError("The network is switched off.");
    const response = await globalThis.fetch(input, init);
    if (!response.body) return response;
    const { status, statusText, headers } = response;
    return new Response(faultyBody(faults, response.body, signal), { status, statusText, headers });
  };
}

/** The client's ways to the hub over such a network. */
export function faultyTransport(faults: Faults, baseUrl: string): Transport {
  const inner = new GrpcWebTransport({ baseUrl, fetch: faultyFetch(faults) });
  const { openSocket } = inner;
  return {
    unary: (...call) => inner.unary(...call),
    serverStream: (...call) => inner.serverStream(...call),
    openSocket:
      openSocket &&
      (() => {
        const socket = openSocket();
        const cut = () => socket.close(CUT, "cut");
        socket.addEventListener("close", faults.onDrop(cut));
        if (faults.getSnapshot().offline) cut();
        return socket;
      }),
  };
}

/** A browser that knows when its network is switched off. */
export function faultyEnvironment(faults: Faults): Environment {
  const real = browserEnvironment();
  return {
    ...real,
    online: () => !faults.getSnapshot().offline && real.online(),
    onWake: (listener) => {
      let before = faults.getSnapshot().offline;
      const stop = faults.subscribe(() => {
        const { offline } = faults.getSnapshot();
        if (before && !offline) listener("online");
        before = offline;
      });
      const stopReal = real.onWake(listener);
      return () => {
        stop();
        stopReal();
      };
    },
  };
}

/** A body that stands still and breaks off as the network does. */
function faultyBody(
  faults: Faults,
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal | null,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let stop = () => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      stop = faults.onDrop(() => {
        stop();
        controller.error(new TypeError("The line was cut."));
        void reader.cancel().catch(() => {});
      });
    },
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        await passing(faults, signal);
        if (done) {
          stop();
          controller.close();
        } else controller.enqueue(value);
      } catch (error) {
        stop();
        controller.error(error);
      }
    },
    cancel(reason) {
      stop();
      return reader.cancel(reason);
    },
  });
}

/** Resolves when nothing stalls; fails when the call is given up meanwhile. */
function passing(faults: Faults, signal: AbortSignal | null): Promise<void> {
  if (!faults.getSnapshot().stalled) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const done = (end: () => void) => {
      leave();
      signal?.removeEventListener("abort", giveUp);
      end();
    };
    const giveUp = () => done(() => reject(signal?.reason ?? new DOMException("Given up.", "AbortError")));
    const leave = faults.subscribe(() => {
      if (!faults.getSnapshot().stalled) done(resolve);
    });
    signal?.addEventListener("abort", giveUp);
    if (signal?.aborted) giveUp();
  });
}
