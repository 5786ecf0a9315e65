import type { Bucket, Span } from "../model/history.ts";

/*
 * From single readings to buckets of time. A value stands until the next one, at most `holdMs`: what is longer is time
 * for which no value was known, never a value.
 */

const leastHoldMs = 20_000;
const mostHoldMs = 600_000;
const usualIntervals = 4;

/** How long a value of a series stands for, from the pace at which its values come. */
export function holdMsOf(times: ArrayLike<number>): number {
  if (times.length < 2) return leastHoldMs;
  const steps = new Float64Array(times.length - 1);
  for (let index = 1; index < times.length; index++) steps[index - 1] = (times[index] as number) - (times[index - 1] as number);
  steps.sort();
  return Math.min(mostHoldMs, Math.max(leastHoldMs, usualIntervals * (steps[steps.length >> 1] as number)));
}

export interface RollUp {
  readonly widthMs: number;
  /** UTC epoch milliseconds, inclusive; a bucket's edge. */
  readonly from: number;
  /** UTC epoch milliseconds, exclusive. */
  readonly to: number;
  readonly holdMs: number;
}

/** Readings in time order, those from shortly before `from` included, as buckets; one in which no value was known is left out. */
export function rollUp(times: ArrayLike<number>, values: ArrayLike<number>, { widthMs, from, to, holdMs }: RollUp): Bucket[] {
  const buckets: Bucket[] = [];
  let at = Number.NaN;
  let [count, min, max, sum, covered] = [0, 0, 0, 0, 0];
  const flush = (): void => {
    // Rounding must not carry the mean past its extremes.
    const mean = covered > 0 ? Math.min(max, Math.max(min, sum / covered)) : max;
    if (!Number.isNaN(at)) buckets.push({ at, count, min, max, mean, coveredMs: covered });
  };
  const add = (bucket: number, value: number, ms: number, isReading: boolean): void => {
    if (bucket !== at) {
      flush();
      [at, count, min, max, sum, covered] = [bucket, 0, value, value, 0, 0];
    }
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value * ms;
    covered += ms;
    if (isReading) count++;
  };
  for (let index = 0; index < times.length; index++) {
    const time = times[index] as number;
    if (time >= to) break;
    const value = values[index] as number;
    const next = index + 1 < times.length ? (times[index + 1] as number) : Number.POSITIVE_INFINITY;
    const end = Math.min(next, time + holdMs, to);
    let start = Math.max(time, from);
    if (time >= from && end <= start) add(bucketOf(time, from, widthMs), value, 0, true);
    for (let isFirst = time >= from; start < end; isFirst = false) {
      const bucket = bucketOf(start, from, widthMs);
      const stop = Math.min(end, bucket + widthMs);
      add(bucket, value, stop - start, isFirst);
      start = stop;
    }
  }
  flush();
  return buckets;
}

const bucketOf = (time: number, from: number, widthMs: number): number => from + Math.floor((time - from) / widthMs) * widthMs;

/** Buckets as coarser ones that begin at the given edges, ascending; what lies before the first is left out. */
export function coarsen(buckets: readonly Bucket[], edges: readonly number[]): Bucket[] {
  const coarse: Bucket[] = [];
  let edge = -1;
  let group: Bucket[] = [];
  const flush = (): void => {
    const at = edges[edge];
    if (at !== undefined && group.length > 0) coarse.push(together(at, group));
    group = [];
  };
  for (const bucket of buckets) {
    for (let next = edges[edge + 1]; next !== undefined && next <= bucket.at; next = edges[edge + 1]) {
      flush();
      edge++;
    }
    if (edge >= 0) group.push(bucket);
  }
  flush();
  return coarse;
}

function together(at: number, group: readonly Bucket[]): Bucket {
  let [count, min, max, sum, coveredMs] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (const bucket of group) {
    count += bucket.count;
    min = Math.min(min, bucket.min);
    max = Math.max(max, bucket.max);
    sum += bucket.mean * bucket.coveredMs;
    coveredMs += bucket.coveredMs;
  }
  return { at, count, min, max, mean: coveredMs > 0 ? Math.min(max, Math.max(min, sum / coveredMs)) : max, coveredMs };
}

/** Even edges from one moment to another. */
export function edgesOf(from: number, to: number, widthMs: number): number[] {
  const edges: number[] = [];
  for (let edge = from; edge < to; edge += widthMs) edges.push(edge);
  return edges;
}

/** Words in time order, those from shortly before `from` included, as the spans for which each stood. */
export function spansOf(
  times: ArrayLike<number>,
  values: readonly Span["value"][],
  { from, to, holdMs }: Pick<RollUp, "from" | "to" | "holdMs">,
): Span[] {
  const spans: Span[] = [];
  for (let index = 0; index < times.length; index++) {
    const time = times[index] as number;
    const next = index + 1 < times.length ? (times[index + 1] as number) : Number.POSITIVE_INFINITY;
    const start = Math.max(time, from);
    const end = Math.min(next, time + holdMs, to);
    if (end > start) spans.push({ from: start, to: end, value: values[index] as Span["value"] });
  }
  return joined(spans);
}

/** Spans in time order, with those that touch and say the same as one. */
export function joined(spans: readonly Span[]): Span[] {
  const all: Span[] = [];
  for (const span of spans) {
    const last = all.at(-1);
    if (last !== undefined && last.to >= span.from && isSame(last.value, span.value))
      all[all.length - 1] = { ...last, to: Math.max(last.to, span.to) };
    else all.push(span);
  }
  return all;
}

function isSame(one: Span["value"], other: Span["value"]): boolean {
  return one === other || (typeof one === "object" && JSON.stringify(one) === JSON.stringify(other));
}
