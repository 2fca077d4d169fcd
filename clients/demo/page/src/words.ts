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
