/**
 * The places of the store's blobs. A stream and its period make one whole number, so that the blobs of a stream lie
 * side by side in time order and a range is one scan.
 */

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** Whole UTC hours since the epoch; below 2^24 until the year 3883. */
export const hourOf = (at: number): number => Math.floor(at / hourMs);

/** Whole UTC days since the epoch. */
export const dayOf = (at: number): number => Math.floor(at / dayMs);

/** Whole UTC months since the epoch. */
export function monthOf(at: number): number {
  const date = new Date(at);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
}

/** UTC epoch milliseconds of a month's start. */
export const monthStart = (month: number): number => Date.UTC(1970, month, 1);

const periodsPerStream = 2 ** 24;

/** The key of a stream's blob of one hour, day or month. */
export const keyOf = (stream: number, period: number): number =>
  stream * periodsPerStream + Math.min(Math.max(period, 0), periodsPerStream - 1);

export const periodOf = (key: number): number => key % periodsPerStream;
