/** `1.4 MB`; decimal units, as file managers of most systems show them. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `about 2 min left`, in steps that do not jump with each update. */
export function formatLeft(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (seconds < 10) return "a few seconds left";
  if (seconds < 60) return `about ${Math.ceil(seconds / 5) * 5} s left`;
  return `about ${Math.round(seconds / 60)} min left`;
}

/** `speaker_turns` as `Speaker turns`. */
export function formatName(name: string): string {
  const words = name.replaceAll(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** `4:07`, `1:02:30`. */
export function formatClock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}

/** `142 wpm`, `3.5 %`, `12`: at most one digit behind the point. */
export function formatFigure(value: number, unit: string): string {
  const rounded = Math.abs(value) >= 100 ? Math.round(value) : Math.round(value * 10) / 10;
  return unit === "" ? String(rounded) : `${rounded}\u202f${unit}`;
}

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

/** `2 hours ago`, `in 5 minutes`, `now`, in the words of `locale`, or of the browser. */
export function formatAgo(ms: number, now: number, locale?: string): string {
  const apart = ms - now;
  const [unit, size] = STEPS.find(([, least]) => Math.abs(apart) >= least) ?? [
    "second",
    Number.POSITIVE_INFINITY,
  ];
  const words = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  return words.format(Math.trunc(apart / size) || 0, unit);
}

/** `Tue, 24 Nov, 21:00`; with an end `… – 22:00`. */
export function formatWhen(startMs: number | null, endMs: number | null, locale?: string): string {
  const format = new Intl.DateTimeFormat(locale, {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "numeric",
    minute: "2-digit",
  });
  if (startMs !== null && endMs !== null) return format.formatRange(startMs, endMs);
  const one = startMs ?? endMs;
  return one === null ? "" : format.format(one);
}
