import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Code } from "../../src/gen/google/rpc/code_pb.js";
import {
  type ContentSchema,
  EventSchema,
  type Position,
  type TopicRunSchema,
} from "../../src/gen/shipspeak/realtime/v1/event_pb.js";
import {
  Outcome,
  PublishRequestSchema,
  ServerFrameSchema,
  Start,
  type Subscribe,
  Verdict,
} from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";
import {
  ListenRequestSchema,
  PollRequestSchema,
  PollResponseSchema,
  PublishResponseSchema,
  ReadHistoryRequestSchema,
  ReadHistoryResponseSchema,
  RefreshSessionRequestSchema,
  RefreshSessionResponseSchema,
  TouchRequestSchema,
  TouchResponseSchema,
  UpdateSubscriptionsRequestSchema,
  UpdateSubscriptionsResponseSchema,
} from "../../src/gen/shipspeak/realtime/v1/realtime_service_pb.js";
import { toDuration } from "../../src/time.js";

type FrameInit = MessageInitShape<typeof ServerFrameSchema>;
type RunInit = MessageInitShape<typeof TopicRunSchema>;
interface StoredEvent {
  readonly offset: bigint;
  readonly id: string;
  readonly content: MessageInitShape<typeof ContentSchema>;
}
interface Listener {
  readonly response: ServerResponse;
  readonly topics: Set<string>;
}

/** What the hub does with Listen: serve it, answer 404, or accept it and never send a byte (a buffering proxy). */
export type ListenMode = "serve" | "refuse" | "swallow";

const EPOCH = 7n;
const METHOD_PATH = /^\/shipspeak\.realtime\.v1\.RealtimeService\/(\w+)$/;

/** A hub in this process that speaks real grpc-web bytes over real sockets, with a log in memory. */
export class TestHub {
  listenMode: ListenMode = "serve";
  heartbeatMs = 20_000;
  /** Status to answer every call with; null = serve. */
  refuse: { code: Code; message: string } | null = null;
  epoch = EPOCH;
  readonly calls: string[] = [];
  readonly tokens: string[] = [];
  readonly touches: bigint[] = [];
  readonly refreshed: string[] = [];
  readonly #logs = new Map<string, StoredEvent[]>();
  readonly #listeners = new Map<string, Listener>();
  readonly #waiting = new Set<() => void>();
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #port = 0;
  #sessions = 0;

  async start(): Promise<string> {
    const server = createServer((request, response) => void this.#serve(request, response));
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    return `http://127.0.0.1:${this.#port}`;
  }

  /** As kill -9: every connection is cut, the port refuses; the log stays. */
  async kill(): Promise<void> {
    const closed = new Promise<void>((resolve) =>
      this.#server ? this.#server.close(() => resolve()) : resolve(),
    );
    this.#listeners.clear();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    this.#server = null;
  }

  /** Cuts the streams only. */
  cutStreams(): void {
    for (const { response } of this.#listeners.values()) response.destroy();
    this.#listeners.clear();
  }

  publish(topic: string, content: MessageInitShape<typeof ContentSchema>, id?: string): bigint {
    const log = this.#log(topic);
    const known = log.find((event) => event.id === id);
    if (known) return known.offset;
    const offset = BigInt(log.length + 1);
    log.push({ offset, id: id ?? `${topic}:${offset}`, content });
    this.#push(topic, { runs: [this.run(topic, offset - 1n)] });
    for (const wake of this.#waiting) wake();
    return offset;
  }

  /** Sends a frame to every stream that reads the topic. */
  #push(topic: string, frame: FrameInit): void {
    for (const { response, topics } of this.#listeners.values())
      if (topics.has(topic)) sendFrame(response, frame);
  }

  pushAll(frame: FrameInit): void {
    for (const { response } of this.#listeners.values()) sendFrame(response, frame);
  }

  get streams(): number {
    return this.#listeners.size;
  }

  run(topic: string, after: bigint): RunInit {
    const log = this.#log(topic);
    const events = log.slice(Number(after)).map((event) => create(EventSchema, event));
    const through = BigInt(log.length);
    return {
      topic,
      epoch: this.epoch,
      afterOffset: after,
      throughOffset: through,
      events,
      cursor: cursorOf(through),
    };
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = METHOD_PATH.exec(request.url ?? "")?.[1] ?? "";
    this.calls.push(name);
    this.tokens.push(request.headers.authorization ?? "");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).subarray(5);
    if (name === "Listen" && this.listenMode === "refuse") {
      response.writeHead(404).end("not here");
    } else if (this.refuse) {
      begin(response);
      endWith(response, this.refuse.code, this.refuse.message);
    } else if (name === "Listen") {
      this.#listen(fromBinary(ListenRequestSchema, body), response);
    } else {
      await this.#unary(name, body, response);
    }
  }

  #listen(request: MessageShape<typeof ListenRequestSchema>, response: ServerResponse): void {
    if (this.listenMode === "swallow") return;
    begin(response);
    this.#sessions += 1;
    const sessionId = `s${this.#sessions}`;
    const topics = new Set(request.subscriptions.map((one) => one.topic));
    this.#listeners.set(sessionId, { response, topics });
    response.on("close", () => this.#listeners.delete(sessionId));
    const heartbeatInterval = toDuration(this.heartbeatMs);
    const welcome = { sessionId, protocolVersion: 1, heartbeatInterval, windowBytes: 262_144n };
    sendFrame(response, { control: { case: "welcome", value: welcome } });
    for (const one of request.subscriptions) this.#subscribe(one, response);
  }

  #subscribe(one: Subscribe, response: ServerResponse): void {
    for (const frame of this.#answer(one)) sendFrame(response, frame);
  }

  /** Subscribed, and the run up to head when there is something. */
  #answer(one: Subscribe): FrameInit[] {
    const { from, verdict } = this.#place(one);
    const head = BigInt(this.#log(one.topic).length);
    const position = { cursor: cursorOf(from), handledOffset: from };
    const value = { topic: one.topic, verdict, position, head, epoch: this.epoch };
    const frames: FrameInit[] = [{ control: { case: "subscribed", value } }];
    if (head > from) frames.push({ runs: [this.run(one.topic, from)] });
    return frames;
  }

  #place(one: Subscribe): { from: bigint; verdict: Verdict } {
    const head = BigInt(this.#log(one.topic).length);
    if (one.start.case === "position") return this.#resume(one.start.value);
    return { from: one.start.value === Start.EARLIEST ? 0n : head, verdict: Verdict.OK };
  }

  #resume(position: Position): { from: bigint; verdict: Verdict } {
    const [epoch] = new TextDecoder().decode(position.cursor).split(":");
    const same = epoch === String(this.epoch) || epoch === "";
    return same
      ? { from: position.handledOffset, verdict: Verdict.OK }
      : { from: 0n, verdict: Verdict.RESET };
  }

  async #unary(name: string, body: Uint8Array, response: ServerResponse): Promise<void> {
    if (name === "Poll") return this.#poll(fromBinary(PollRequestSchema, body), response);
    if (name === "Touch") {
      this.touches.push(fromBinary(TouchRequestSchema, body).handledBytes);
      return answer(response, TouchResponseSchema, {});
    }
    if (name === "RefreshSession") {
      this.refreshed.push(fromBinary(RefreshSessionRequestSchema, body).token);
      return answer(response, RefreshSessionResponseSchema, {});
    }
    if (name === "UpdateSubscriptions") return this.#update(body, response);
    if (name === "Publish") return this.#publish(body, response);
    if (name === "ReadHistory") return this.#history(body, response);
    begin(response);
    endWith(response, Code.UNIMPLEMENTED, name);
  }

  async #poll(request: MessageShape<typeof PollRequestSchema>, response: ServerResponse): Promise<void> {
    const waitMs = Number(request.wait?.seconds ?? 0n) * 1000 + (request.wait?.nanos ?? 0) / 1e6;
    const gone = new Promise<void>((resolve) => response.on("close", () => resolve()));
    let frames = this.#pollFrames(request.subscriptions);
    if (frames.length === 0 && waitMs > 0) {
      await Promise.race([this.#news(waitMs), gone]);
      frames = this.#pollFrames(request.subscriptions);
    }
    if (!response.destroyed) answer(response, PollResponseSchema, { frames });
  }

  #pollFrames(subscriptions: readonly Subscribe[]): FrameInit[] {
    return subscriptions.flatMap((one) => {
      const frames = this.#answer(one);
      const quiet = one.start.case === "position" && this.#place(one).verdict === Verdict.OK;
      return quiet ? frames.slice(1) : frames;
    });
  }

  #news(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#waiting.add(done);
    });
  }

  #update(body: Uint8Array, response: ServerResponse): void {
    const { sessionId, revision, subscriptions } = fromBinary(UpdateSubscriptionsRequestSchema, body);
    const listener = this.#listeners.get(sessionId);
    answer(response, UpdateSubscriptionsResponseSchema, { revision });
    if (!listener) return;
    const before = new Set(listener.topics);
    listener.topics.clear();
    for (const one of subscriptions) {
      listener.topics.add(one.topic);
      if (!before.has(one.topic)) this.#subscribe(one, listener.response);
    }
  }

  #publish(body: Uint8Array, response: ServerResponse): void {
    const { drafts } = fromBinary(PublishRequestSchema, body);
    const results = drafts.map((draft) => {
      const known = this.#log(draft.topic).some((event) => event.id === draft.id);
      const offset = this.publish(draft.topic, draft.content ?? {}, draft.id);
      return { id: draft.id, outcome: Outcome.STORED, duplicate: known, epoch: this.epoch, offset };
    });
    answer(response, PublishResponseSchema, { results });
  }

  #history(body: Uint8Array, response: ServerResponse): void {
    const { topic, position } = fromBinary(ReadHistoryRequestSchema, body);
    const head = BigInt(this.#log(topic).length);
    const after = position?.handledOffset ?? 0n;
    const runs = after < head ? [this.run(topic, after)] : [];
    answer(response, ReadHistoryResponseSchema, { verdict: Verdict.OK, runs, head, more: false });
  }

  #log(topic: string): StoredEvent[] {
    const log = this.#logs.get(topic) ?? [];
    this.#logs.set(topic, log);
    return log;
  }
}

function cursorOf(offset: bigint): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${EPOCH}:${offset}`);
}

function begin(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/grpc-web+proto" });
  response.flushHeaders();
}

function frame(flag: number, body: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flag);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

function sendFrame(response: ServerResponse, init: FrameInit): void {
  response.write(frame(0, toBinary(ServerFrameSchema, create(ServerFrameSchema, init))));
}

function endWith(response: ServerResponse, code: Code, message = ""): void {
  response.end(
    frame(0x80, Buffer.from(`grpc-status: ${code}\r\ngrpc-message: ${encodeURIComponent(message)}\r\n`)),
  );
}

function answer<O extends DescMessage>(response: ServerResponse, schema: O, init: MessageInitShape<O>): void {
  begin(response);
  response.write(frame(0, toBinary(schema, create(schema, init))));
  endWith(response, Code.OK);
}
