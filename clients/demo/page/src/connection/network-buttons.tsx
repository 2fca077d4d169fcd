import { useSyncExternalStore } from "react";
import { useServices } from "../services.js";

/** Faults of this browser's own network, in all of its tabs. */
export function NetworkButtons() {
  const { faults } = useServices();
  const { offline, stalled } = useSyncExternalStore(faults.subscribe, faults.getSnapshot);
  return (
    <div className="faults">
      <button type="button" className="strip-button" data-fault="drop" onClick={() => faults.drop()}>
        Drop the line
      </button>
      <button
        type="button"
        className="strip-button"
        data-fault="stall"
        aria-pressed={stalled}
        onClick={() => faults.set({ stalled: !stalled })}
      >
        {stalled ? "Let it flow" : "Stall"}
      </button>
      <button
        type="button"
        className="strip-button"
        data-fault="offline"
        aria-pressed={offline}
        onClick={() => faults.set({ offline: !offline })}
      >
        {offline ? "Go online" : "Go offline"}
      </button>
    </div>
  );
}
