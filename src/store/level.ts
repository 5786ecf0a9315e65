import type { Level } from "../model/history.ts";
import { dayMs, hourMs } from "./keys.ts";

/** Milliseconds of a bucket; a local day may have an hour more or less. */
export const levelMs: Readonly<Record<Exclude<Level, "raw">, number>> = {
  "1min": 60_000,
  "15min": 15 * 60_000,
  "1h": hourMs,
  "1d": dayMs,
};

/** Longest range that is answered from single readings: a day of a reading every 5 s. */
const rawRangeMs = dayMs;
/** Buckets of the finest level that are read for each point that is wanted. */
const bucketsPerPoint = 15;

/** The finest level from which a range is answered quickly, so that what is made coarser keeps the true extremes. */
export function levelFor(rangeMs: number, points: number): Level {
  if (rangeMs <= rawRangeMs) return "raw";
  const most = Math.max(points * bucketsPerPoint, 2_000);
  for (const level of ["1min", "15min", "1h"] as const) if (rangeMs / levelMs[level] <= most) return level;
  return "1h";
}
