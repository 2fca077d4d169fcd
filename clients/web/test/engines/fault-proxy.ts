import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

/** What becomes of new streams: `refuse` = 404, `html` = a page in their place, `hold` = nothing comes before the end. */
export type StreamRule = "pass" | "refuse" | "html" | "hold";

/** What the proxy does to what is new. */
export interface ProxyRules {
  /** Listen. */
  readonly stream?: StreamRule;
  readonly socket?: "pass" | "refuse" | "hold";
  /** Cuts calls that have no answer after so many milliseconds; 0 = never. */
  readonly patienceMs?: number;
}

/** What it does to the streams and WebSockets that are open: ends them, resets them, or lets nothing through any more. */
export type Strike = "cut" | "reset" | "stall";

const LISTEN = "/shipspeak.realtime.v1.RealtimeService/Listen";

/** An HTTP proxy before a hub that does what networks do. */
export class FaultProxy {
  readonly #hub: URL;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Streams and WebSockets that are open: the connections of their pages, and what makes nothing come any more. */
  readonly #open = new Map<Socket, { readonly hub: Socket; readonly stall: () => void }>();
  #rules: Required<ProxyRules> = { stream: "pass", socket: "pass", patienceMs: 0 };

  constructor(hub: string) {
    this.#hub = new URL(hub);
    this.#server = createServer((incoming, outgoing) => this.#serve(incoming, outgoing));
    this.#server.on("upgrade", (incoming, page: Socket, head) => this.#upgrade(incoming, page, head));
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  set(rules: ProxyRules): void {
    this.#rules = { ...this.#rules, ...rules };
  }

  /** How many were struck. */
  strike(kind: Strike): number {
    const struck = [...this.#open];
    this.#open.clear();
    for (const [page, { hub, stall }] of struck) {
      if (kind === "stall") {
        stall(); // half open: both ends believe in it
        continue;
      }
      if (kind === "reset") page.resetAndDestroy();
      else page.destroySoon();
      hub.destroy();
    }
    return struck.length;
  }

  async stop(): Promise<void> {
    this.strike("reset");
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const isStream = incoming.url === LISTEN && incoming.method === "POST";
    const { stream, patienceMs } = this.#rules;
    if (isStream && (stream === "refuse" || stream === "html")) {
      incoming.resume();
      const head = {
        "access-control-allow-origin": incoming.headers.origin ?? "*",
        "content-type": "text/html",
      };
      outgoing
        .writeHead(stream === "refuse" ? 404 : 200, head)
        .end("<!doctype html><h1>Welcome to the hotel</h1>");
      return;
    }
    const { hostname, port, host } = this.#hub;
    const { method, url: path } = incoming;
    const asked = request({
      hostname,
      port,
      method,
      path,
      headers: { ...incoming.headers, host },
      agent: false,
    });
    const cut = () => outgoing.socket?.destroy();
    const patience = patienceMs > 0 && !isStream ? setTimeout(cut, patienceMs) : undefined;
    asked.on("error", cut);
    incoming.on("error", cut);
    outgoing.on("error", cut);
    asked.on("response", (answer) => {
      clearTimeout(patience);
      const page = outgoing.socket;
      if (isStream && stream === "hold") return void answer.resume(); // a buffer that never fills
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      outgoing.flushHeaders();
      const stall = () => void answer.unpipe(outgoing).pause();
      if (isStream && page) this.#open.set(page, { hub: answer.socket, stall });
      answer.on("error", cut);
      answer.on("close", () => {
        if (page) this.#open.delete(page);
        if (!answer.complete) cut();
      });
      answer.pipe(outgoing);
    });
    outgoing.on("close", () => {
      clearTimeout(patience);
      asked.destroy();
    });
    incoming.pipe(asked);
  }

  #upgrade(incoming: IncomingMessage, page: Socket, head: Buffer): void {
    page.on("error", () => {});
    const { socket } = this.#rules;
    if (socket === "refuse") return void page.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    if (socket === "hold") return;
    const { hostname, port, host } = this.#hub;
    const hub = connect(Number(port), hostname);
    hub.on("error", () => page.destroy());
    page.on("close", () => hub.destroy());
    hub.on("close", () => {
      this.#open.delete(page);
      page.destroySoon();
    });
    const lines = Object.entries({ ...incoming.headers, host }).map(([name, value]) => `${name}: ${value}`);
    hub.write(`GET ${incoming.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    hub.write(head);
    const stall = () => {
      hub.unpipe(page).pause();
      page.unpipe(hub).pause();
    };
    this.#open.set(page, { hub, stall });
    hub.pipe(page);
    page.pipe(hub);
  }
}
