const STAGE_WORDS: Readonly<Record<string, string>> = {
  upload: "Upload",
  parse: "Reading",
  speakers: "Speakers",
  pace: "Pace",
  language: "Language",
  questions: "Questions",
  summary: "Summary",
};

export function stageLabel(name: string): string {
  return STAGE_WORDS[name] ?? name;
}

/** `1:04:09` or `4:09`. */
export function clock(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, "0"));
  const hours = Math.floor(seconds / 3600);
  return hours > 0 ? `${hours}:${parts.join(":")}` : `${Number(parts[0])}:${parts[1]}`;
}

export function number(value: number, digits = 0): string {
  return value.toLocaleString("en", { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

export function titleOf(fileName: string): string {
  const words = fileName
    .replace(/\.[^.]*$/, "")
    .replaceAll(/[_-]+/g, " ")
    .trim();
  return words.charAt(0).toUpperCase() + words.slice(1) || "Meeting";
}

/** `14:05` today, `Mon 14:05` within a week, else `3 Nov`. */
export function dayAndTime(when: Date, now = new Date()): string {
  const time = when.toLocaleTimeString("en", { timeStyle: "short", hour12: false });
  if (when.toDateString() === now.toDateString()) return time;
  const days = (now.getTime() - when.getTime()) / 86_400_000;
  if (days < 6) return `${when.toLocaleDateString("en", { weekday: "short" })} ${time}`;
  return when.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
}

const FIGURE_WORDS: Readonly<Record<string, string>> = {
  words: "Words",
  words_per_minute: "Words a minute",
  fillers: "Fillers",
  hedges: "Hedges",
  hedging: "Hedging",
  sentences: "Sentences",
  pace: "Pace",
  fluency: "Fluency",
  confidence: "Confidence",
  brevity: "Brevity",
  praise: "Well done",
};

/** Words for a dimension, an aspect or a figure. */
export function figureLabel(name: string): string {
  return FIGURE_WORDS[name] ?? name;
}
