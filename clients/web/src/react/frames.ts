/** Frames do not come while a page is hidden; nothing waits longer than this for one. */
const LATEST_MS = 250;

const waiting = new Set<() => void>();
let planned = false;

/** Runs `task` before the next frame; asked again before that, once. In a hidden page it runs as soon as it can. */
export function onNextFrame(task: () => void): void {
  waiting.add(task);
  if (planned) return;
  planned = true;
  if (typeof requestAnimationFrame !== "function" || document.visibilityState === "hidden") {
    queueMicrotask(run);
    return;
  }
  const frame = requestAnimationFrame(runOnce);
  const timer = setTimeout(runOnce, LATEST_MS);
  function runOnce() {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    run();
  }
}

function run(): void {
  planned = false;
  const tasks = [...waiting];
  waiting.clear();
  for (const task of tasks) task();
}
