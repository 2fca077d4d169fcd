import { RecoveryKind } from "@shipspeak/realtime";
import { useMeetingProgress } from "@shipspeak/realtime/react";
import { MeetingProgress, PresenceList } from "@shipspeak/realtime/ui";
import { useEffect, useState } from "react";
import type { Meeting } from "../backend.js";
import { useSeen } from "../notifications/use-seen.js";
import { hrefOf } from "../route.js";
import { useNameOf, useServices } from "../services.js";
import { stageLabel } from "../words.js";
import { ResultView } from "./result-view.js";
import { ResumeUpload } from "./resume-upload.js";

const SEEN = { state: "active" } as const;

export interface MeetingViewProps {
  readonly id: string;
  readonly title: string;
  /** The back end's row; undefined until the list has come. */
  readonly meeting: Meeting | undefined;
  readonly onReplace: () => void;
  readonly onChanged: () => void;
}

/** One meeting: its progress from the hub, then its result from the back end. */
export function MeetingView({ id, title, meeting, onReplace, onChanged }: MeetingViewProps) {
  const { backend } = useServices();
  const { phase, attempt } = useMeetingProgress(id);
  const [problem, setProblem] = useState("");
  const nameOf = useNameOf();
  // Who looks at the end of a meeting needs no notice of it any more.
  useSeen(phase === "completed" || phase === "failed" ? `/${hrefOf("meetings", id)}` : null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each new phase or attempt changes the list of meetings
  useEffect(onChanged, [phase, attempt]);

  const recover = async (kind: RecoveryKind) => {
    setProblem("");
    if (kind === RecoveryKind.UPLOAD_AGAIN) {
      onReplace();
      return;
    }
    try {
      await backend.retryStage(id);
      onChanged();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };

  return (
    <div className="meeting">
      <MeetingProgress
        meetingId={id}
        headingLevel={1}
        title={title || "Meeting"}
        stageLabel={stageLabel}
        onRecover={({ kind }) => void recover(kind)}
      />
      <aside className="here" aria-label="Looking at this meeting">
        <span className="soft">Here now</span>
        <PresenceList topic={`meeting/${id}`} me={SEEN} nameOf={nameOf} />
      </aside>
      <p className="problem" role="alert">
        {problem}
      </p>
      {meeting?.status === "uploading" && phase !== "failed" && <ResumeUpload meeting={meeting} />}
      {phase === "completed" && <ResultView id={id} key={attempt} />}
    </div>
  );
}
