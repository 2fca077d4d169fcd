import { type DragEvent, useEffect, useId, useRef, useState } from "react";
import type { Sample } from "../backend.js";
import { go } from "../route.js";
import { useServices } from "../services.js";
import { titleOf } from "../words.js";
import { upload } from "./upload.js";

export interface UploaderProps {
  /** The failed meeting that gets another file; null = a new meeting. */
  readonly replacing: string | null;
  readonly onCancelReplace: () => void;
  /** The back end has taken the meeting; its bytes are on their way. */
  readonly onStarted: () => void;
}

/** Choose a sample or a file; the rest happens by itself. */
export function Uploader({ replacing, onCancelReplace, onStarted }: UploaderProps) {
  const { backend } = useServices();
  const samples = useSamples();
  const heading = useId();
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (replacing) title.current?.focus(); // on a narrow page this place is out of sight
  }, [replacing]);

  const start = async (title: string, getFile: () => Promise<File> | File) => {
    setProblem("");
    setBusy(true);
    try {
      const file = await getFile();
      const slot = replacing ? await backend.uploadAgain(replacing, file) : await backend.create(title, file);
      go("meetings", slot.id);
      onStarted();
      setBusy(false);
      await upload(backend.send, backend.url(slot.upload_url), file);
      onStarted();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  const startFile = (file: File | undefined) => {
    if (file) void start(titleOf(file.name), () => file);
  };

  return (
    <section className="uploader" aria-labelledby={heading} aria-busy={busy}>
      <h2 id={heading} ref={title} tabIndex={-1}>
        {replacing ? "Choose the corrected file" : "Analyse a meeting"}
      </h2>
      <FileDrop onFile={startFile} disabled={busy} />
      <ul className="samples" aria-label="Samples">
        {samples.map((one) => (
          <li key={one.name}>
            <button
              type="button"
              className="sample"
              data-sample={one.name}
              disabled={busy}
              onClick={() => void start(one.title, () => backend.sample(one))}
            >
              <span className="sample-title">
                {one.title}
                {one.broken && <span className="tag">broken on purpose</span>}
              </span>
              <span className="sample-text">{one.description}</span>
            </button>
          </li>
        ))}
      </ul>
      {replacing && (
        <button type="button" className="rt-button" onClick={onCancelReplace}>
          Keep the old file
        </button>
      )}
      <p className="problem" role="alert">
        {problem}
      </p>
    </section>
  );
}

function FileDrop({ onFile, disabled }: { onFile: (file: File | undefined) => void; disabled: boolean }) {
  const [over, setOver] = useState(false);
  const drag = (inside: boolean) => (event: DragEvent) => {
    event.preventDefault();
    setOver(inside);
  };
  return (
    <label
      className="drop"
      data-over={over}
      onDragOver={drag(true)}
      onDragLeave={drag(false)}
      onDrop={(event) => {
        drag(false)(event);
        onFile(event.dataTransfer.files[0]);
      }}
    >
      <input
        type="file"
        accept=".vtt,.srt,.txt,text/plain,text/vtt"
        disabled={disabled}
        onChange={(event) => {
          onFile(event.target.files?.[0]);
          event.target.value = "";
        }}
      />
      <span className="drop-title">Choose a transcript</span>
      <span className="drop-text">WebVTT, SRT or plain text, or drop it here</span>
    </label>
  );
}

function useSamples(): readonly Sample[] {
  const { backend } = useServices();
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  useEffect(() => {
    let wanted = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = async () => {
      try {
        const found = await backend.samples();
        if (wanted) setSamples(found);
      } catch {
        if (wanted) timer = setTimeout(load, 2000); // the back end starts beside the hub and may be later
      }
    };
    void load();
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [backend]);
  return samples;
}
