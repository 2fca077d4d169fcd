import type * as pb from "../gen/shipspeak/realtime/v1/meeting_pb.js";
import { durationMs } from "../time.js";
import { INITIAL_MEETING, type MeetingState, type StageState } from "./state.js";

/**
 * The state after one more update; pure. An update of an older attempt, or one that would move progress back
 * within its attempt, returns the same state. After completion or failure only a new attempt changes anything.
 */
export function meetingReducer(state: MeetingState, message: pb.MeetingUpdate): MeetingState {
  const attempt = Math.max(1, message.attempt);
  if (attempt < state.attempt) return state;
  const base = attempt > state.attempt ? beginAttempt(state, attempt) : state;
  if (base.phase === "completed" || base.phase === "failed") return state;
  const { update } = message;
  switch (update.case) {
    case "upload":
      return uploaded(base, update.value) ?? state;
    case "stageChanged":
      return stageChanged(base, update.value) ?? state;
    case "stageProgress":
      return progressed(base, update.value) ?? state;
    case "completed":
      return completed(base, update.value);
    case "failed":
      return failed(base, update.value);
    default:
      return state; // a kind of a later version
  }
}

/** The names of the stages and the file stay known; progress begins anew. */
function beginAttempt(state: MeetingState, attempt: number): MeetingState {
  const stages = state.stages.map((one): StageState => ({ name: one.name, status: "pending", fraction: 0 }));
  return { ...INITIAL_MEETING, attempt, upload: state.upload && { ...state.upload, sentBytes: 0 }, stages };
}

function uploaded(state: MeetingState, news: pb.UploadProgress): MeetingState | null {
  const sentBytes = Number(news.sentBytes);
  const totalBytes = Number(news.totalBytes);
  if (sentBytes < (state.upload?.sentBytes ?? 0)) return null;
  if (state.stage !== null && currentIndex(state) > 0) return null;
  const upload = {
    sentBytes,
    totalBytes,
    bytesPerSecond: news.bytesPerSecond,
    fileName: news.fileName || (state.upload?.fileName ?? ""),
  };
  const share = totalBytes > 0 ? Math.min(1, sentBytes / totalBytes) : 0;
  const stages = state.stages.map((one, index) =>
    index === 0 && one.name === "upload" ? { ...one, fraction: Math.max(one.fraction, share) } : one,
  );
  const phase = state.phase === "processing" ? state.phase : "uploading";
  return withFraction({ ...state, phase, upload, stages });
}

function stageChanged(state: MeetingState, news: pb.StageChanged): MeetingState | null {
  const names = news.stages.length > 0 ? news.stages : state.stages.map((one) => one.name);
  const all = names.includes(news.stage) ? names : [...names, news.stage];
  const next = all.indexOf(news.stage);
  if (state.stage !== null && next < all.indexOf(state.stage)) return null;
  const known = new Map(state.stages.map((one) => [one.name, one]));
  const stages = all.map((name, index): StageState => {
    if (index < next) return { name, status: "done", fraction: 1 };
    if (index > next) return { name, status: "pending", fraction: 0 };
    return { name, status: "active", fraction: known.get(name)?.fraction ?? 0 };
  });
  const phase = news.stage === "upload" ? "uploading" : "processing";
  const same = state.stage === news.stage;
  return withFraction({ ...state, phase, stages, stage: news.stage, detail: same ? state.detail : "" });
}

function progressed(state: MeetingState, news: pb.StageProgress): MeetingState | null {
  const entered = state.stage === news.stage ? state : enter(state, news.stage);
  const current = entered?.stages.find((one) => one.name === news.stage);
  if (!entered || !current || news.fraction < current.fraction) return null;
  const stages = entered.stages.map((one) => (one === current ? { ...one, fraction: news.fraction } : one));
  return withFraction({ ...entered, stages, etaMs: durationMs(news.eta), detail: news.detail });
}

/**
 * Progress of a stage whose beginning was not seen (a gap) counts as its beginning. One that is in no list may as well
 * be over, so beside a stage that runs it changes nothing.
 */
function enter(state: MeetingState, stage: string): MeetingState | null {
  if (state.stage !== null && !state.stages.some((one) => one.name === stage)) return null;
  const news = { stage, previous: state.stage ?? "", stages: [] as string[] };
  return stageChanged(state, news as unknown as pb.StageChanged);
}

function completed(state: MeetingState, news: pb.MeetingCompleted): MeetingState {
  const stages = state.stages.map((one): StageState => ({ ...one, status: "done", fraction: 1 }));
  const result = { url: news.resultUrl, summary: news.summary, figures: news.figures };
  return { ...state, phase: "completed", stages, stage: null, fraction: 1, etaMs: 0, detail: "", result };
}

function failed(state: MeetingState, news: pb.MeetingFailed): MeetingState {
  const stage = news.stage || state.stage;
  const at = state.stages.findIndex((one) => one.name === stage);
  const stages = state.stages.map((one, index): StageState => {
    if (index === at) return { ...one, status: "failed" };
    return index < at ? { ...one, status: "done", fraction: 1 } : one;
  });
  const { code, message, retryable, options } = news;
  const failure = { code, message, retryable, stage: news.stage, options };
  return { ...state, phase: "failed", stages, stage: stage ?? null, etaMs: null, detail: "", failure };
}

function currentIndex(state: MeetingState): number {
  return state.stages.findIndex((one) => one.name === state.stage);
}

/** The whole is the mean of its stages; before they are known, nothing is promised. */
function withFraction(state: MeetingState): MeetingState {
  if (state.stages.length === 0) return state;
  const sum = state.stages.reduce((total, one) => total + one.fraction, 0);
  return { ...state, fraction: Math.max(state.fraction, sum / state.stages.length) };
}
