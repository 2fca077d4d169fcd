export interface Sample {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly size: number;
  readonly broken: boolean;
}

export interface Meeting {
  readonly id: string;
  readonly title: string;
  readonly filename: string;
  readonly status: "uploading" | "queued" | "processing" | "completed" | "failed";
  readonly attempt: number;
  readonly size: number;
  readonly received: number;
  readonly upload_url: string;
  readonly created_at: number;
}

export interface Cue {
  readonly start_ms: number;
  readonly end_ms: number;
  readonly speaker: string;
  readonly text: string;
}

interface Terms {
  readonly total: number;
  readonly per_100_words: number;
  readonly terms: Readonly<Record<string, number>>;
}

/** Figures of one meeting; the back end's README says how each is made. */
export interface Result {
  readonly meeting_id: string;
  readonly timing: "exact" | "estimated";
  readonly speakers: {
    readonly by_speaker: readonly {
      readonly speaker: string;
      readonly talk_ms: number;
      readonly share: number;
      readonly words: number;
      readonly turns: number;
    }[];
  };
  readonly pace: {
    readonly by_speaker: readonly { readonly speaker: string; readonly words_per_minute: number | null }[];
    readonly words_per_minute: number | null;
  };
  readonly language: {
    readonly by_speaker: readonly {
      readonly speaker: string;
      readonly fillers: Terms;
      readonly hedges: Terms;
    }[];
    readonly fillers: number;
    readonly hedges: number;
  };
  readonly questions: {
    readonly by_speaker: readonly { readonly speaker: string; readonly count: number }[];
    readonly count: number;
    readonly items: readonly { readonly speaker: string; readonly start_ms: number; readonly text: string }[];
  };
  readonly summary: {
    readonly headline: string;
    readonly speakers: number;
    readonly cues: number;
    readonly words: number;
    readonly duration_ms: number;
    readonly turns: number;
    readonly longest_monologue: {
      readonly speaker: string;
      readonly start_ms: number;
      readonly duration_ms: number;
    };
    readonly overlaps: { readonly count: number };
  };
}

export interface Slot {
  readonly id: string;
  readonly upload_url: string;
}

/** A refusal of the back end, in its own words. */
export class BackendError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The back end's HTTP interface. */
export class Backend {
  readonly #origin: string;

  constructor(origin: string) {
    this.#origin = origin;
  }

  url(path: string): string {
    return `${this.#origin}${path}`;
  }

  async token(user: string): Promise<string> {
    const { token } = await this.#json<{ token: string }>(`/api/token?user=${encodeURIComponent(user)}`);
    return token;
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
    return this.#json("/api/meetings", post({ title, filename: file.name, size: file.size }));
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

  async #json<T>(path: string, init?: RequestInit): Promise<T> {
    return (await (await this.#fetch(path, init)).json()) as T;
  }

  async #fetch(path: string, init?: RequestInit): Promise<Response> {
    const response = await fetch(this.url(path), { cache: "no-store", ...init });
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
