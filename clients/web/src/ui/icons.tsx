import type { NoticeKind } from "../notifications/state.js";

const PATHS = {
  bell: "M10 3a4.5 4.5 0 0 0-4.5 4.5c0 4-1.5 5-1.5 5.5h12c0-.5-1.5-1.5-1.5-5.5A4.5 4.5 0 0 0 10 3ZM8.4 16a1.8 1.8 0 0 0 3.2 0",
  close: "m5.5 5.5 9 9m0-9-9 9",
  check: "m4.5 10.5 3.5 3.5 7.5-8",
  info: "M10 9v5m0-8v.2M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15Z",
  warning:
    "M10 8v3.5m0 2.8v.2M8.9 3.6 2.6 14.7a1.3 1.3 0 0 0 1.1 1.9h12.6a1.3 1.3 0 0 0 1.1-1.9L11.1 3.6a1.3 1.3 0 0 0-2.2 0Z",
  danger: "M10 6v4.5m0 3v.2M6.9 2.5h6.2l4.4 4.4v6.2l-4.4 4.4H6.9l-4.4-4.4V6.9Z",
  wrench:
    "M12.9 3.2a4.2 4.2 0 0 0-4.6 5.9l-5 5a1.8 1.8 0 0 0 2.6 2.6l5-5a4.2 4.2 0 0 0 5.9-4.6l-2.5 2.4-2.4-.6-.6-2.4Z",
  spark: "M10 2.5c.6 4.2 2.8 6.4 7 7-4.2.6-6.4 2.8-7 7-.6-4.2-2.8-6.4-7-7 4.2-.6 6.4-2.8 7-7Z",
  clock: "M10 5.5V10l3 2m-3 5.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15Z",
  trophy:
    "M6 3h8v4.5a4 4 0 0 1-8 0V3Zm0 1.5H3.2c0 2.8 1 4 3 4.2M14 4.5h2.8c0 2.8-1 4-3 4.2M10 11.5V15m-3 2h6m-5-2h4",
  book: "M10 5.2C8.3 4 6 3.7 3 4v11c3-.3 5.3 0 7 1.2 1.7-1.2 4-1.5 7-1.2V4c-3-.3-5.3 0-7 1.2Zm0 0v11",
  upload:
    "M10 13V7m-2.5 2L10 6.5 12.5 9M6 15.5a3.7 3.7 0 0 1-.6-7.35 4.7 4.7 0 0 1 9.1 1A3.2 3.2 0 0 1 14.2 15.5Z",
  up: "M10 15V5m-4 4 4-4 4 4",
  down: "M10 5v10m-4-4 4 4 4-4",
} as const;

export type IconName = keyof typeof PATHS;

/** A small picture beside words that say the same; never alone. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg className="rt-icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

export const KIND_ICONS: Readonly<Record<NoticeKind, IconName>> = {
  maintenance: "wrench",
  feature: "spark",
  reminder: "clock",
  achievement: "trophy",
  education: "book",
  other: "info",
};
