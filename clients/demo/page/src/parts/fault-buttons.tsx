import { useState } from "react";
import { useServices } from "../services.js";

/** Kill the hub, block its streams; offered by a hub in dev mode only. */
export function FaultButtons() {
  const { config } = useServices();
  const [blocked, setBlocked] = useState(false);
  const [problem, setProblem] = useState("");
  const attempt = async (task: () => Promise<Response>, then: () => void) => {
    setProblem("");
    try {
      const response = await task();
      if (response.ok) then();
      else setProblem(`Refused (HTTP ${response.status})`);
    } catch {
      setProblem("Not reached");
    }
  };
  const kill = () =>
    attempt(
      () => fetch(`${config.backend}/dev/kill-hub`, { method: "POST" }),
      () => {},
    );
  const block = () =>
    attempt(
      () =>
        fetch(`${config.hub}/dev/block-streaming`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ blocked: !blocked }),
        }),
      () => setBlocked(!blocked),
    );
  return (
    <div className="faults">
      <button type="button" className="strip-button" data-fault="kill" onClick={() => void kill()}>
        Kill the hub
      </button>
      <button
        type="button"
        className="strip-button"
        data-fault="block"
        aria-pressed={blocked}
        onClick={() => void block()}
      >
        {blocked ? "Allow streaming" : "Block streaming"}
      </button>
      <span className="faults-problem" role="status">
        {problem}
      </span>
    </div>
  );
}
