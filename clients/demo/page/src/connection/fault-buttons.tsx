import { useConnection, useRealtime } from "@shipspeak/realtime/react";
import { useCallback, useEffect, useState } from "react";
import { useServices } from "../services.js";

/** Kill the hub, block its streams; offered by a hub in dev mode only. */
export function FaultButtons() {
  const { config } = useServices();
  const client = useRealtime();
  const place = useConnection(({ phase, transport }) => `${phase} ${transport}`);
  const [blocked, setBlocked] = useState(false);
  const [problem, setProblem] = useState("");
  const blockade = `${config.hub}/dev/block-streaming`;
  const post = (url: string, body: object) =>
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });

  // The blockade is the hub's: another tab may have set it, and a killed hub has forgotten it. So it is read
  // anew when this tab is looked at, and when its connection has changed.
  const look = useCallback(async () => {
    try {
      const response = await fetch(blockade);
      if (response.ok) setBlocked(((await response.json()) as { blocked: boolean }).blocked);
    } catch {
      // The hub is not there; the next change of the connection asks again.
    }
  }, [blockade]);
  useEffect(() => {
    const onFocus = () => void look();
    window.addEventListener("focus", onFocus);
    return () => window.removeEventListener("focus", onFocus);
  }, [look]);
  useEffect(() => {
    if (place) void look();
  }, [look, place]);

  const kill = async () => {
    setProblem("");
    try {
      const response = await post(`${config.hub}/dev/kill-hub`, {});
      if (!response.ok) setProblem(`Refused (HTTP ${response.status})`);
    } catch {
      // It died before it could answer, which is what was asked for. The strip tells the rest.
    }
  };
  const block = async () => {
    setProblem("");
    try {
      const response = await post(blockade, { blocked: !blocked });
      if (!response.ok) {
        setProblem(`Refused (HTTP ${response.status})`);
        return;
      }
      setBlocked(!blocked);
      if (blocked) return;
      // The hub ends the open streams with the blockade; a new try shows it at once, without a wait.
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
