import type { MessageInitShape } from "@bufbuild/protobuf";
import { RealtimeError } from "../errors.js";
import type { ClientFrameSchema, ServerFrame } from "../gen/shipspeak/realtime/v1/frame_pb.js";
import type { SetPresenceInit } from "../presence/book.js";
import { fromFrame, type SubscribeInit } from "../topics/registry.js";
import type { Commands } from "./commands.js";

type ClientFrameInit = MessageInitShape<typeof ClientFrameSchema>;
type Command = NonNullable<ClientFrameInit["frame"]>;

/** So many requests later, a refusal is not expected any more. */
const REMEMBERED = 256n;

interface Pending {
  resolve(): void;
  reject(error: RealtimeError): void;
}

/** The commands of a session on a WebSocket: frames beside those of the hub, and their answers among them. */
export class SocketCommands implements Commands {
  readonly #send: (frame: ClientFrameInit) => void;
  /** Commands whose answer somebody waits for, by request or nonce, which share one count. */
  readonly #pending = new Map<bigint, Pending>();
  /** What the hub was asked for, by topic: whether with presence. */
  readonly #asked = new Map<string, boolean>();
  readonly #presence = new Map<bigint, (error: RealtimeError) => void>();
  #requests = 0n;

  constructor(send: (frame: ClientFrameInit) => void, signal: AbortSignal) {
    this.#send = send;
    signal.addEventListener("abort", () => this.end(null));
  }

  /** The first subscriptions, right behind Hello. */
  begin(subscriptions: readonly SubscribeInit[]): void {
    for (const one of subscriptions) this.#subscribe(one);
  }

  touch(handledBytes: number): Promise<void> {
    this.#say({ case: "window", value: { handledBytes: BigInt(handledBytes) } });
    return this.#ping();
  }

  async present(presence: SetPresenceInit, refused: (error: RealtimeError) => void): Promise<void> {
    const request = this.#say({ case: "presence", value: presence });
    // Only a refusal has an answer, and nothing tells that there is none: the latest are remembered.
    this.#presence.set(request, refused);
    for (const [old] of this.#presence) if (old < request - REMEMBERED) this.#presence.delete(old);
  }

  leave(presence: SetPresenceInit): void {
    this.#say({ case: "presence", value: presence });
  }

  refresh(token: string): Promise<void> {
    return this.#wait(this.#say({ case: "refreshToken", value: { token } }));
  }

  async update(_revision: bigint, subscriptions: readonly SubscribeInit[]): Promise<void> {
    const wanted = new Map(subscriptions.map((one) => [one.topic, one]));
    for (const [topic, presence] of this.#asked) {
      // A subscription cannot be changed: one with another wish for presence is a new one, from its position.
      if (wanted.get(topic) && (wanted.get(topic)?.presence ?? false) === presence) continue;
      this.#asked.delete(topic);
      this.#say({ case: "unsubscribe", value: { topic } });
    }
    for (const one of subscriptions) if (!this.#asked.has(one.topic)) this.#subscribe(one);
  }

  /** Takes the answer to a command; true = the frame was nothing else. */
  answered({ control }: ServerFrame): boolean {
    if (control.case === "pong") this.#settle(control.value.nonce, null);
    if (control.case === "tokenAccepted") this.#settle(control.value.requestId, null);
    if (control.case === "unsubscribed" && control.value.error) this.#asked.delete(control.value.topic);
    if (control.case !== "error") return false;
    const error = fromFrame(control.value);
    if (this.#settle(control.value.requestId, error)) return true;
    const refused = this.#presence.get(control.value.requestId);
    refused?.(error);
    if (refused) return true;
    this.#asked.delete(control.value.topic);
    return false;
  }

  /** Nothing is answered any more. */
  end(error: RealtimeError | null): void {
    const why = error ?? new RealtimeError("The session has ended.", { kind: "aborted" });
    for (const one of this.#pending.values()) one.reject(why);
    this.#pending.clear();
  }

  #subscribe(one: SubscribeInit): void {
    this.#asked.set(one.topic, one.presence ?? false);
    this.#say({ case: "subscribe", value: one });
  }

  #say(frame: Command): bigint {
    this.#requests += 1n;
    this.#send({ requestId: this.#requests, frame });
    return this.#requests;
  }

  #ping(): Promise<void> {
    const nonce = this.#requests + 1n;
    const answer = this.#wait(nonce);
    this.#say({ case: "ping", value: { nonce } });
    return answer;
  }

  #wait(request: bigint): Promise<void> {
    return new Promise((resolve, reject) => this.#pending.set(request, { resolve, reject }));
  }

  #settle(request: bigint, error: RealtimeError | null): boolean {
    const pending = this.#pending.get(request);
    if (!pending) return false;
    this.#pending.delete(request);
    if (error) pending.reject(error);
    else pending.resolve();
    return true;
  }
}
