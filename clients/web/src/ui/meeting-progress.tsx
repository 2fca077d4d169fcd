import { useId } from "react";
import { RecoveryKind } from "../gen/shipspeak/realtime/v1/meeting_pb.js";
import type { MeetingFailure, MeetingState, RecoveryChoice, StageState } from "../meeting/state.js";
import { useMeetingProgress } from "../react/use-meeting-progress.js";
import { Announcer } from "./announcer.js";
import { formatBytes, formatLeft, formatName } from "./format.js";
import { ProgressBar } from "./progress-bar.js";
import { safeHref } from "./safe-href.js";

export interface MeetingProgressProps {
  readonly meetingId: string;
  /** Heading; default "Meeting". */
  readonly title?: string;
  /** Rank of the heading; default 2. */
  readonly headingLevel?: 1 | 2 | 3 | 4;
  /** Takes a way out of a failure; without it, options are plain links. */
  readonly onRecover?: (choice: RecoveryChoice) => void;
  /** Words of a stage for display; default: its name. */
  readonly stageLabel?: (name: string) => string;
}

/** Upload, stages, result or failure of one meeting, live. Takes everything from the meeting's topic. */
export function MeetingProgress({
  meetingId,
  title = "Meeting",
  headingLevel = 2,
  onRecover,
  stageLabel = formatName,
}: MeetingProgressProps) {
  const state = useMeetingProgress(meetingId);
  const heading = useId();
  const Heading = `h${headingLevel}` as const;
  const percent = Math.floor(state.fraction * 100);
  const headline = headlineOf(state, stageLabel);
  const known = state.phase !== "waiting";
  return (
    <section className="rt-meeting" aria-labelledby={heading} data-phase={state.phase}>
      <header className="rt-meeting-head">
        <Heading className="rt-title" id={heading} dir="auto">
          {title}
        </Heading>
        <p className="rt-meeting-percent" aria-hidden="true">
          {known ? `${percent} %` : ""}
        </p>
      </header>
      <ProgressBar
        labelledBy={heading}
        value={known ? state.fraction : null}
        text={known ? `${percent} %, ${headline}` : headline}
        tone={state.phase === "completed" ? "good" : state.phase === "failed" ? "danger" : "accent"}
      />
      <p className="rt-meeting-line">
        <strong>{headline}</strong>
        <span className="rt-meeting-detail" dir="auto">
          {detailOf(state)}
        </span>
      </p>
      {state.stages.length > 0 && <Stages stages={state.stages} label={stageLabel} />}
      {state.error && <p className="rt-meeting-error">This meeting cannot be read: {state.error.message}</p>}
      {state.failure && <Failure failure={state.failure} {...(onRecover ? { onRecover } : {})} />}
      {state.result?.summary && (
        <p className="rt-meeting-summary" dir="auto">
          {state.result.summary}
        </p>
      )}
      {state.incomplete && <p className="rt-meeting-note">Earlier steps are no longer on record.</p>}
      <Announcer text={announcementOf(state, title, headline, percent)} urgent={state.phase === "failed"} />
    </section>
  );
}

const STATUS_WORDS: Readonly<Record<StageState["status"], string>> = {
  pending: "not started",
  active: "in progress",
  done: "done",
  failed: "failed",
};

function Stages({ stages, label }: { stages: readonly StageState[]; label: (name: string) => string }) {
  return (
    <ol className="rt-stages">
      {stages.map((one) => (
        <li
          key={one.name}
          className="rt-stage"
          data-stage={one.name}
          data-status={one.status}
          {...(one.status === "active" ? { "aria-current": "step" as const } : {})}
        >
          <span className="rt-stage-mark" aria-hidden="true">
            <span className="rt-stage-fill" style={{ inlineSize: `${one.fraction * 100}%` }} />
          </span>
          <span className="rt-stage-name" dir="auto">
            {label(one.name)}
          </span>
          <span className="rt-visually-hidden">: {STATUS_WORDS[one.status]}</span>
        </li>
      ))}
    </ol>
  );
}

interface FailureProps {
  readonly failure: MeetingFailure;
  readonly onRecover?: (choice: RecoveryChoice) => void;
}

function Failure({ failure, onRecover }: FailureProps) {
  return (
    <div className="rt-failure">
      <p className="rt-failure-text" dir="auto">
        {failure.message}
      </p>
      <div className="rt-failure-options">
        {failure.options.map((choice) => (
          <Option
            key={`${choice.kind}:${choice.label}`}
            choice={choice}
            {...(onRecover ? { onRecover } : {})}
          />
        ))}
      </div>
    </div>
  );
}

function Option({
  choice,
  onRecover,
}: {
  choice: RecoveryChoice;
  onRecover?: (choice: RecoveryChoice) => void;
}) {
  const isAction = choice.kind === RecoveryKind.RETRY_STAGE || choice.kind === RecoveryKind.UPLOAD_AGAIN;
  if (onRecover && isAction) {
    return (
      <button type="button" className="rt-button" onClick={() => onRecover(choice)}>
        {choice.label}
      </button>
    );
  }
  const href = safeHref(choice.url);
  return href ? (
    <a className="rt-button" href={href}>
      {choice.label}
    </a>
  ) : null;
}

function headlineOf(state: MeetingState, label: (name: string) => string): string {
  if (state.phase === "waiting") return "Waiting for the first news";
  if (state.phase === "completed") return "Done";
  if (state.phase === "failed")
    return state.failure?.stage ? `${label(state.failure.stage)} failed` : "Failed";
  return state.stage ? label(state.stage) : "Uploading";
}

function detailOf(state: MeetingState): string {
  const left = state.etaMs !== null && state.etaMs > 0 ? formatLeft(state.etaMs) : "";
  if (state.phase === "uploading" && state.upload) return joined([uploadText(state), left]);
  if (state.phase === "processing") return joined([state.detail, left]);
  return "";
}

function uploadText({ upload }: MeetingState): string {
  if (!upload) return "";
  const total = upload.totalBytes > 0 ? ` of ${formatBytes(upload.totalBytes)}` : "";
  const speed = upload.bytesPerSecond > 0 ? `, ${formatBytes(upload.bytesPerSecond)}/s` : "";
  return `${formatBytes(upload.sentBytes)}${total}${speed}`;
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" · ");
}

/** A new text at each stage and each quarter only: nobody wants every percent read aloud. */
function announcementOf(state: MeetingState, title: string, headline: string, percent: number): string {
  if (state.phase === "waiting") return "";
  if (state.phase === "completed") return `${title}: done.`;
  if (state.phase === "failed") return `${title}: ${headline}. ${state.failure?.message ?? ""}`;
  return `${title}: ${headline}, ${Math.floor(percent / 25) * 25} %`;
}
