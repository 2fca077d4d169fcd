import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { Code } from "../../src/gen/google/rpc/code_pb.js";
import {
  AcknowledgeRequestSchema,
  GoAwayAction,
  Outcome,
  PublishRequestSchema,
  type SetPresence,
  type Subscribe,
  type TransportStep,
  Verdict,
} from "../../src/gen/shipspeak/realtime/v1/frame_pb.js";
import {
  AcknowledgeResponseSchema,
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
import { HealthCheckResponseSchema, SERVING } from "../../src/session/health.js";
import { toDuration } from "../../src/time.js";
import { type ContentInit, HubLog } from "./hub-log.js";
import { acknowledged } from "./hub-receipts.js";
import { serveSocket } from "./hub-socket.js";
import { ServerSocket } from "./web-socket-server.js";
import { answer, begin, endWith, type FrameInit, sendFrame } from "./wire.js";

export interface Listener {
  readonly send: (frame: FrameInit) => void;
  readonly cut: () => void;
  readonly topics: Set<string>;
}

/** What the hub does with Listen: serve it, answer 404, or accept it and never send a byte (a buffering proxy). */
export type ListenMode = "serve" | "refuse" | "swallow";

const SOCKET_PATH = "/v1/connect";
const METHOD_PATH = /^\/(?:shipspeak\.realtime\.v1\.RealtimeService|grpc\.health\.v1\.Health)\/(\w+)$/;

const NOT_SERVING = 2;

/** Status of one refused call. */
export interface Refusal {
  readonly code: Code;
  readonly message: string;
}

/** The contract's own rule for a topic, which refuses the whole request. */
function breaksRules(subscriptions: readonly Subscribe[], response: ServerResponse): boolean {
  if (subscriptions.every(({ topic }) => topic.length >= 3 && topic.length <= 200)) return false;
  begin(response);
  endWith(response, Code.INVALID_ARGUMENT, "subscriptions.topic");
  return true;
}

/** A hub in this process that speaks real grpc-web bytes over real sockets, with a log in memory. */
export class TestHub {
  listenMode: ListenMode = "serve";
  /** What it does with a WebSocket: serve it, refuse it as any other path, or accept it and say nothing. */
  socketMode: ListenMode = "refuse";
  /** Cuts Polls that have waited this long. */
  cutWaitsAfterMs = Number.POSITIVE_INFINITY;
  heartbeatMs = 20_000;
  /** Sends every stream away right after Welcome. */
  sendsAway = false;
  /** Streams that have ended after that. */
  wentAway = 0;
  /** Status to answer every call with; null = serve. */
  refuse: Refusal | null = null;
  /** Asked about each call that `refuse` lets through. */
  refuseCall: (name: string, token: string) => Refusal | null = () => null;
  /** What becomes of the answer to Publish, when the draft is stored: sent, cut off, or held back. */
  publishAnswer: "sent" | "cut" | "held" = "sent";
  /** Events in a page of history. */
  pageSize = Number.POSITIVE_INFINITY;
  /** What its health service says. */
  serving = true;
  readonly log = new HubLog();
  /** Where receipts about what is for many go. */
  userTopic = "user/ann";
  readonly calls: string[] = [];
  readonly tokens: string[] = [];
  readonly touches: bigint[] = [];
  /** What clients said of themselves, in order. */
  readonly present: SetPresence[] = [];
  /** For each set of subscriptions that was asked for: the topics whose presence is wanted. */
  readonly presenceAsked: string[][] = [];
  readonly refreshed: string[] = [];
  /** Of WebSockets, as clients closed them; 1006 = cut off. */
  readonly closeCodes: number[] = [];
  refusesPresence = false;
  /** What each Hello said of a change of transport. */
  readonly steps: (TransportStep | undefined)[] = [];
  readonly listeners = new Map<string, Listener>();
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
    server.on("upgrade", (request, stream) => {
      this.calls.push("Connect");
      stream.on("error", () => {}); // a client that is gone may reset it
      if (request.url !== SOCKET_PATH || this.socketMode === "refuse")
        stream.end("HTTP/1.1 404 Not Found\r\n\r\n");
      else if (this.socketMode === "serve") serveSocket(new ServerSocket(request, stream), this);
      else new ServerSocket(request, stream); // says nothing
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
    this.listeners.clear();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    this.#server = null;
  }

  /** Cuts the streams only. */
  cutStreams(): void {
    for (const { cut } of this.listeners.values()) cut();
    this.listeners.clear();
  }

  publish(topic: string, content: ContentInit, id?: string): bigint {
    const { offset, duplicate } = this.log.store(topic, content, id);
    if (duplicate) return offset;
    this.#push(topic, { runs: [this.log.run(topic, offset - 1n)] });
    for (const wake of this.#waiting) wake();
    return offset;
  }

  /** Sends a frame to every stream that reads the topic. */
  #push(topic: string, frame: FrameInit): void {
    for (const { send, topics } of this.listeners.values()) if (topics.has(topic)) send(frame);
  }

  pushAll(frame: FrameInit): void {
    for (const { send } of this.listeners.values()) send(frame);
  }

  get streams(): number {
    return this.listeners.size;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = METHOD_PATH.exec(request.url ?? "")?.[1] ?? "";
    this.calls.push(name);
    const token = request.headers.authorization ?? "";
    this.tokens.push(token);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).subarray(5);
    if (name === "Listen" && this.listenMode === "refuse") {
      response.writeHead(404).end("not here");
      return;
    }
    const refusal = this.refuse ?? this.refuseCall(name, token);
    if (refusal) {
      begin(response);
      endWith(response, refusal.code, refusal.message);
    } else if (name === "Listen") {
      this.#listen(fromBinary(ListenRequestSchema, body), response);
    } else {
      await this.#unary(name, body, response);
    }
  }

  #listen(request: MessageShape<typeof ListenRequestSchema>, response: ServerResponse): void {
    if (this.listenMode === "swallow") return;
    if (breaksRules(request.subscriptions, response)) return;
    begin(response);
    this.steps.push(request.hello?.step);
    this.#askedFor(request.subscriptions);
    const topics = new Set(request.subscriptions.map((one) => one.topic));
    const send = (frame: FrameInit) => sendFrame(response, frame);
    const sessionId = this.welcome({ send, cut: () => response.destroy(), topics });
    response.on("close", () => this.listeners.delete(sessionId));
    if (this.sendsAway) {
      send({ control: { case: "goAway", value: { action: GoAwayAction.RESUME } } });
      response.on("close", () => this.wentAway++);
    }
    for (const one of request.subscriptions) this.#subscribe(one, send);
  }

  /** A session begins; its id. */
  welcome(listener: Listener): string {
    this.#sessions += 1;
    const sessionId = `s${this.#sessions}`;
    this.listeners.set(sessionId, listener);
    const heartbeatInterval = toDuration(this.heartbeatMs);
    const welcome = { sessionId, protocolVersion: 1, heartbeatInterval, windowBytes: 262_144n };
    listener.send({ control: { case: "welcome", value: welcome } });
    return sessionId;
  }

  /** A session is over. */
  gone(sessionId: string): void {
    this.listeners.delete(sessionId);
  }

  #askedFor(subscriptions: readonly Subscribe[]): void {
    this.presenceAsked.push(subscriptions.filter((one) => one.presence).map((one) => one.topic));
  }

  #subscribe(one: Subscribe, send: (frame: FrameInit) => void): void {
    for (const frame of this.log.answer(one)) send(frame);
  }

  async #unary(name: string, body: Uint8Array, response: ServerResponse): Promise<void> {
    if (name === "Poll") return this.#poll(fromBinary(PollRequestSchema, body), response);
    if (name === "Check")
      return answer(response, HealthCheckResponseSchema, { status: this.serving ? SERVING : NOT_SERVING });
    if (name === "Touch") {
      const touch = fromBinary(TouchRequestSchema, body);
      if (touch.presence) this.present.push(touch.presence);
      else this.touches.push(touch.handledBytes);
      return answer(response, TouchResponseSchema, {});
    }
    if (name === "RefreshSession") {
      this.refreshed.push(fromBinary(RefreshSessionRequestSchema, body).token);
      return answer(response, RefreshSessionResponseSchema, {});
    }
    if (name === "UpdateSubscriptions") return this.#update(body, response);
    if (name === "Publish") return this.#publish(body, response);
    if (name === "Acknowledge") return this.#acknowledge(body, response);
    if (name === "ReadHistory") return this.#history(body, response);
    begin(response);
    endWith(response, Code.UNIMPLEMENTED, name);
  }

  async #poll(request: MessageShape<typeof PollRequestSchema>, response: ServerResponse): Promise<void> {
    this.steps.push(request.hello?.step);
    const waitMs = Number(request.wait?.seconds ?? 0n) * 1000 + (request.wait?.nanos ?? 0) / 1e6;
    const gone = new Promise<void>((resolve) => response.on("close", () => resolve()));
    let frames = this.#pollFrames(request.subscriptions);
    if (frames.length === 0 && waitMs > 0) {
      const cut = waitMs > this.cutWaitsAfterMs;
      await Promise.race([this.#news(cut ? this.cutWaitsAfterMs : waitMs), gone]);
      if (cut) return void response.destroy();
      frames = this.#pollFrames(request.subscriptions);
    }
    if (!response.destroyed) answer(response, PollResponseSchema, { frames });
  }

  #pollFrames(subscriptions: readonly Subscribe[]): FrameInit[] {
    return subscriptions.flatMap((one) => {
      const frames = this.log.answer(one);
      const quiet = one.start.case === "position" && this.log.place(one).verdict === Verdict.OK;
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
    if (breaksRules(subscriptions, response)) return;
    this.#askedFor(subscriptions);
    const listener = this.listeners.get(sessionId);
    answer(response, UpdateSubscriptionsResponseSchema, { revision });
    if (!listener) return;
    const before = new Set(listener.topics);
    listener.topics.clear();
    for (const one of subscriptions) {
      listener.topics.add(one.topic);
      if (!before.has(one.topic)) this.#subscribe(one, listener.send);
    }
  }

  #publish(body: Uint8Array, response: ServerResponse): void {
    const { drafts } = fromBinary(PublishRequestSchema, body);
    const results = drafts.map((draft) => {
      const before = this.log.head(draft.topic);
      const offset = this.publish(draft.topic, draft.content ?? {}, draft.id);
      const duplicate = offset <= before;
      return { id: draft.id, outcome: Outcome.STORED, duplicate, epoch: this.log.epoch, offset };
    });
    if (this.publishAnswer === "cut") response.destroy();
    if (this.publishAnswer === "sent") answer(response, PublishResponseSchema, { results });
  }

  #acknowledge(body: Uint8Array, response: ServerResponse): void {
    const request = fromBinary(AcknowledgeRequestSchema, body);
    const store = (topic: string, content: ContentInit, id: string) => this.publish(topic, content, id);
    const results = acknowledged(this.log, this.userTopic, request, store);
    answer(response, AcknowledgeResponseSchema, { results });
  }

  #history(body: Uint8Array, response: ServerResponse): void {
    const { topic, position } = fromBinary(ReadHistoryRequestSchema, body);
    const { from, verdict } = this.log.resume(topic, position);
    const head = this.log.head(topic);
    const run = this.log.run(topic, from, this.pageSize);
    const runs = from < head ? [run] : [];
    const more = (run.throughOffset ?? 0n) < head;
    answer(response, ReadHistoryResponseSchema, { verdict, runs, head, more });
  }
}
