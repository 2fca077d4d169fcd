import { useState } from "react";
import type { Meeting } from "../backend.js";
import { useServices } from "../services.js";
import { upload } from "./upload.js";

/** For an upload that was cut off (the page was closed): the same file goes on where it stopped. */
export function ResumeUpload({ meeting }: { meeting: Meeting }) {
  const { backend } = useServices();
  const [problem, setProblem] = useState("");
  const resume = async (file: File | undefined) => {
    if (!file) return;
    setProblem("");
    if (file.size !== meeting.size) {
      setProblem(`That is another file: it has ${file.size} bytes, not ${meeting.size}.`);
      return;
    }
    try {
      await upload(backend.send, backend.url(meeting.upload_url), file);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <div className="resume">
      <label className="resume-label">
        Was the upload cut off? Choose {meeting.filename} again and it goes on where it stopped.
        <input type="file" onChange={(event) => void resume(event.target.files?.[0])} />
      </label>
      <p className="problem" role="alert">
        {problem}
      </p>
    </div>
  );
}
