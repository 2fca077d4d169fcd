import type {
  Announcement,
  Cue,
  Heard,
  Meeting,
  Person,
  Result,
  Sample,
  Session,
  Slot,
} from "./backend-types.js";

export type * from "./backend-types.js";

/** A token is replaced when it has less than this left. */
const TOKEN_LEFT_MS = 60_000;

/** A refusal of the back end, in its own words. */
export class BackendError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Token {
  readonly token: string;
  readonly expires_at: number;
}

/** The back end's HTTP interface. */
export class Backend {
  readonly #origin: string;
  /** How requests go out. */
  readonly send: typeof globalThis.fetch;
  #user: string | null = null;
  #token: Token | null = null;

  constructor(origin: string, send: typeof globalThis.fetch) {
    this.#origin = origin;
    this.send = send;
  }

  /** Who makes the requests from now on; null = nobody. */
  signedIn(user: string | null): void {
    this.#user = user;
    this.#token = null;
  }

  url(path: string): string {
    return `${this.#origin}${path}`;
  }

  /** A new token of the user; null = nobody is signed in. */
  async token(): Promise<string | null> {
    const user = this.#user;
    if (user === null) return null;
    const fresh = await this.#json<Token>(`/api/token?user=${encodeURIComponent(user)}`);
    if (this.#user === user) this.#token = fresh;
    return fresh.token;
  }

  async people(): Promise<readonly Person[]> {
    return (await this.#json<{ people: Person[] }>("/api/people")).people;
  }

  /** Has the user told how things stand. */
  arrive(): Promise<{ readonly reminder_at: number | null }> {
    return this.#own("/api/arrivals", post({}));
  }

  startPractice(): Promise<Session> {
    return this.#own("/api/practice", post({}));
  }

  async practices(): Promise<readonly Session[]> {
    return (await this.#own<{ sessions: Session[] }>("/api/practice")).sessions;
  }

  practice(id: string): Promise<Session & { readonly text: string }> {
    return this.#own(`/api/practice/${id}`);
  }

  /** Gives the coach the whole text as it is now. */
  speak(id: string, text: string, revision: number, untimedS: number): Promise<Heard> {
    const body = post({ text, revision, untimed_s: untimedS });
    return this.#own(`/api/practice/${id}/speech`, { ...body, method: "PUT" });
  }

  finishPractice(id: string): Promise<Session> {
    return this.#own(`/api/practice/${id}/finish`, post({}));
  }

  announce(news: Announcement): Promise<{ readonly outcome: string }> {
    return this.#own("/api/news", post(news));
  }

  remind(inS: number): Promise<{ readonly reminder_at: number }> {
    return this.#own("/api/reminders", post({ in_s: inS }));
  }

  async samples(): Promise<readonly Sample[]> {
    return (await this.#json<{ samples: Sample[] }>("/api/samples")).samples;
  }

  async sample(one: Sample): Promise<File> {
    const response = await this.#fetch(`/api/samples/${encodeURIComponent(one.name)}`);
    return new File([await response.blob()], one.name);
  }

  async meetings(): Promise<readonly Meeting[]> {
    return (await this.#json<{ meetings: Meeting[] }>("/api/meetings")).meetings;
  }

  create(title: string, file: File): Promise<Slot> {
    return this.#own("/api/meetings", post({ title, filename: file.name, size: file.size }));
  }

  result(id: string): Promise<Result> {
    return this.#json(`/api/meetings/${id}/result`);
  }

  async transcript(id: string): Promise<readonly Cue[]> {
    return (await this.#json<{ cues: Cue[] }>(`/api/meetings/${id}/transcript`)).cues;
  }

  async retryStage(id: string): Promise<void> {
    await this.#fetch(`/api/meetings/${id}/retry`, post({ option: "retry_stage" }));
  }

  uploadAgain(id: string, file: File): Promise<Slot> {
    return this.#json(
      `/api/meetings/${id}/retry`,
      post({ option: "upload_again", filename: file.name, size: file.size }),
    );
  }

  /** A request in the user's name. */
  async #own<T>(path: string, init: RequestInit = {}): Promise<T> {
    const left = (this.#token?.expires_at ?? 0) * 1000 - Date.now();
    const token = left > TOKEN_LEFT_MS ? this.#token?.token : await this.token();
    return this.#json(path, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });
  }

  async #json<T>(path: string, init?: RequestInit): Promise<T> {
    return (await (await this.#fetch(path, init)).json()) as T;
  }

  async #fetch(path: string, init?: RequestInit): Promise<Response> {
    const response = await this.send(this.url(path), { cache: "no-store", ...init });
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

function post(body: object): RequestInit {
  return { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

async function refusal(response: Response): Promise<BackendError> {
  const body: unknown = await response.json().catch(() => null);
  const error = (body as { error?: { message?: string; what_to_do?: string } } | null)?.error;
  const text = [error?.message, error?.what_to_do].filter(Boolean).join(" ");
  return new BackendError(response.status, text || `The back end answered HTTP ${response.status}.`);
}
