import { useState } from "react";
import { useServices } from "../services.js";

/** Kill the hub, block its streams; offered by a hub in dev mode only. */
export function FaultButtons() {
  const { config, client } = useServices();
  const [blocked, setBlocked] = useState(false);
  const [problem, setProblem] = useState("");
  const post = (path: string, body: object) =>
    fetch(`${config.hub}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });

  const kill = async () => {
    setProblem("");
    try {
      const response = await post("/dev/kill-hub", {});
      if (!response.ok) setProblem(`Refused (HTTP ${response.status})`);
    } catch {
      // It died before it could answer, which is what was asked for. The strip tells the rest.
    }
  };
  const block = async () => {
    setProblem("");
    try {
      const response = await post("/dev/block-streaming", { blocked: !blocked });
      if (!response.ok) {
        setProblem(`Refused (HTTP ${response.status})`);
        return;
      }
      setBlocked(!blocked);
      if (blocked) return;
      // A stream that is open already stays so; opening a new one shows the blockade at once.
      client.disconnect();
      client.connect();
    } catch {
      setProblem("The hub is not there");
    }
  };
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
