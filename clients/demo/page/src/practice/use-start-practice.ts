import { useState } from "react";
import { go } from "../route.js";
import { useServices } from "../services.js";

/** Begins a session and goes to its room. */
export function useStartPractice() {
  const { backend } = useServices();
  const [isStarting, setStarting] = useState(false);
  const [problem, setProblem] = useState("");
  const start = async () => {
    setStarting(true);
    setProblem("");
    try {
      go("practice", (await backend.startPractice()).id);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setStarting(false);
    }
  };
  return { start, isStarting, problem };
}
