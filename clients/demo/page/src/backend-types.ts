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
  /** Who uploaded it; empty = nobody that is known. */
  readonly owner: string;
}

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  /** Announcements to everybody are this person's to make. */
  readonly desk: boolean;
}

/** One practice session; figures and scores are there when it has ended. */
export interface Session {
  readonly id: string;
  readonly started_at: number;
  /** Seconds since 1970; null = it goes on. */
  readonly ended_at: number | null;
  /** Seconds of speaking. */
  readonly elapsed_s: number;
  readonly untimed_s: number;
  readonly overall: number | null;
  readonly dimensions: Readonly<Record<string, number>>;
  readonly figures: Readonly<Record<string, number>>;
}

/** What became of a text that was sent to the coach. */
export interface Heard {
  /** False: the coach has a text of a revision that is as high or higher. */
  readonly is_taken: boolean;
  /** Of the text that the coach has now. */
  readonly revision: number;
  readonly untimed_words: number;
}

export interface Announcement {
  readonly kind: "maintenance" | "feature" | "education";
  readonly title: string;
  readonly body: string;
  readonly in_s: number;
  readonly lasts_s: number;
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
