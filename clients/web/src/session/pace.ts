/** Times in milliseconds. */
export const PACE = {
  firstMs: 1000,
  leastMs: 1000,
  mostMs: 15_000,
  hiddenMostMs: 60_000,
  growth: 1.5,
  jitter: 0.2,
} as const;

/**
 * The pace of polls that do not wait at the hub, in milliseconds: twice as fast after events, half as long again
 * after none, slower while nobody looks. `lastMs` null = the first one.
 */
export function paceMs(lastMs: number | null, moved: boolean, hidden: boolean): number {
  const next = lastMs === null ? PACE.firstMs : moved ? lastMs / 2 : lastMs * PACE.growth;
  return Math.min(hidden ? PACE.hiddenMostMs : PACE.mostMs, Math.max(PACE.leastMs, next));
}

/**
 * The time before the next poll: the pace, doubled for a person who saves data, with jitter, so that a crowd that
 * lost its streams at one moment does not poll as one; never shorter than the hub asks for.
 */
export function pauseMs(
  pace: number,
  { hintMs, savesData, random }: { hintMs: number | null; savesData: boolean; random: number },
): number {
  const own = savesData ? pace * 2 : pace;
  return Math.max(hintMs ?? 0, own * (1 - PACE.jitter + 2 * PACE.jitter * random));
}
