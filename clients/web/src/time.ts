import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";

/** Milliseconds of a Duration; null when it is absent. */
export function durationMs(duration: Duration | undefined): number | null {
  return duration ? Number(duration.seconds) * 1000 + duration.nanos / 1e6 : null;
}

/** Milliseconds since 1970 of a Timestamp; null when it is absent. */
export function timestampMs(timestamp: Timestamp | undefined): number | null {
  return timestamp ? Number(timestamp.seconds) * 1000 + timestamp.nanos / 1e6 : null;
}

/** The fields of a Duration of `ms` milliseconds. */
export function toDuration(ms: number): { seconds: bigint; nanos: number } {
  const whole = Math.floor(ms / 1000);
  return { seconds: BigInt(whole), nanos: Math.round((ms - whole * 1000) * 1e6) };
}

/** The fields of a Timestamp `ms` milliseconds after 1970. */
export const toTimestamp = toDuration;
