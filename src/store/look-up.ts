import type { Bucket, HistoryRow, Level, Span, TimeRange } from "../model/history.ts";
import type { Value } from "../model/reading.ts";
import { dayMs, dayOf, hourOf, monthOf, monthStart } from "./keys.ts";
import { levelMs } from "./level.ts";
import { packedBuckets, packedSpans } from "./pack.ts";
import { coarsen, edgesOf, holdMsOf, joined, rollUp, spansOf } from "./rollup.ts";
import { readingsFromDay } from "./retention.ts";
import { readColumn } from "./segment.ts";
import type { Tables } from "./tables.ts";
import type { Tail } from "./tail.ts";

/** Where one series is looked up. */
export interface Source {
  readonly tables: Tables;
  /** What is not in the database yet. */
  readonly tail: Tail;
  readonly stream: { readonly id: number; readonly inverter: string; readonly command: string };
  readonly name: string;
  /** Lets other work in between two blobs; throws when the question was withdrawn. */
  readonly pause: () => Promise<void>;
}

/** Values in time order, each time once. */
interface Samples {
  readonly times: number[];
  readonly values: Value[];
}

/** Longer than any value stands for. */
const leadMs = 10 * 60_000;

/** The single values of a range, and the ones shortly before it. */
async function samplesOf({ tables, tail, stream, name, pause }: Source, { from, to }: TimeRange): Promise<Samples> {
  const lead = from - leadMs;
  const found: Samples = { times: [], values: [] };
  let done = 0;
  for (const { body } of tables.range("segment", stream.id, hourOf(lead), hourOf(to - 1))) {
    const column = readColumn(body, name);
    for (let index = 0; column !== undefined && index < column.times.length; index++) {
      const at = column.times[index] as number;
      if (at >= lead && at < to) add(found, at, column.values[index] as Value);
    }
    if (++done % 24 === 0) await pause();
  }
  const recent = tail.rows(stream.inverter, stream.command, lead, to).filter(({ values }) => values[name] !== undefined);
  return recent.length === 0 ? found : merged(found, recent, name);
}

function add({ times, values }: Samples, at: number, value: Value): void {
  times.push(at);
  values.push(value);
}

function merged(found: Samples, recent: readonly HistoryRow[], name: string): Samples {
  const all = new Map(found.times.map((at, index) => [at, found.values[index] as Value]));
  let isSorted = true;
  let last = found.times.at(-1) ?? 0;
  for (const { at, values } of recent) {
    if (all.has(at)) continue;
    all.set(at, values[name] as Value);
    isSorted &&= at >= last;
    last = at;
  }
  const entries = isSorted ? [...all] : [...all].toSorted(([one], [other]) => one - other);
  return { times: entries.map(([at]) => at), values: entries.map(([, value]) => value) };
}

/** The readings of a range, one a bucket. */
export async function readingsOf(source: Source, range: TimeRange): Promise<Bucket[]> {
  const { times, values } = await samplesOf(source, range);
  const holdMs = holdMsOf(times);
  const buckets: Bucket[] = [];
  for (const [index, at] of times.entries()) {
    const value = values[index];
    if (at < range.from || typeof value !== "number") continue;
    const next = times[index + 1] ?? Number.POSITIVE_INFINITY;
    buckets.push({ at, count: 1, min: value, max: value, mean: value, coveredMs: Math.min(next - at, holdMs) });
  }
  return buckets;
}

/** A range as even buckets of any width, straight from its single readings. */
export async function rolledUp(source: Source, range: TimeRange, widthMs: number): Promise<Bucket[]> {
  const { times, values } = numbersOf(await samplesOf(source, range));
  return rollUp(times, values, { ...range, widthMs, holdMs: holdMsOf(times) });
}

function numbersOf({ times, values }: Samples): { times: number[]; values: number[] } {
  const isNumber = values.map((value) => typeof value === "number");
  if (isNumber.every(Boolean)) return { times, values: values as number[] };
  return {
    times: times.filter((_, index) => isNumber[index]),
    values: values.filter((value): value is number => typeof value === "number"),
  };
}

type EvenLevel = Exclude<Level, "raw" | "1d">;

/** A range at a level that is kept, made on the spot where it is not packed yet. */
export async function bucketsAt(source: Source, range: TimeRange, level: EvenLevel): Promise<Bucket[]> {
  const buckets = level === "1min" ? await minutesOf(source, range) : await fromMonths(source, range, level);
  return buckets.filter(({ at }) => at + levelMs[level] > range.from && at < range.to);
}

async function minutesOf(source: Source, { from, to }: TimeRange): Promise<Bucket[]> {
  const { tables, stream, name, pause } = source;
  const days: Bucket[][] = [];
  for (let day = dayOf(from); day <= dayOf(to - 1); day++) {
    const isOwn = day >= readingsFromDay(tables) && tables.isMarked("dirty_day", stream.id, day);
    const packed = isOwn ? undefined : tables.get("day", stream.id, day);
    const range = { from: day * dayMs, to: (day + 1) * dayMs };
    days.push(packed === undefined ? await rolledUp(source, range, levelMs["1min"]) : packedBuckets(packed, name, levelMs["1min"]));
    await pause();
  }
  return days.flat();
}

async function fromMonths(source: Source, { from, to }: TimeRange, level: "15min" | "1h"): Promise<Bucket[]> {
  const { tables, stream, name, pause } = source;
  const months: Bucket[][] = [];
  for (let month = monthOf(from); month <= monthOf(to - 1); month++) {
    const packed = tables.isMarked("dirty_month", stream.id, month) ? undefined : tables.get("month", stream.id, month);
    if (packed !== undefined) months.push(packedBuckets(packed, name, levelMs[level]));
    else {
      const start = Math.max(monthStart(month), dayOf(from) * dayMs);
      const end = Math.min(monthStart(month + 1), (dayOf(to - 1) + 1) * dayMs);
      months.push(coarsen(await minutesOf(source, { from: start, to: end }), edgesOf(start, end, levelMs[level])));
    }
    await pause();
  }
  return months.flat();
}

/** The spans of a range, cut at its ends. */
export async function spansIn(source: Source, range: TimeRange): Promise<Span[]> {
  const { tables, stream, name, pause } = source;
  const found: Span[][] = [];
  for (let month = monthOf(range.from); month <= monthOf(range.to - 1); month++) {
    const packed = tables.isMarked("dirty_month", stream.id, month) ? undefined : tables.get("month", stream.id, month);
    if (packed !== undefined) found.push(packedSpans(packed, name));
    else {
      const start = Math.max(monthStart(month), dayOf(range.from) * dayMs);
      const end = Math.min(monthStart(month + 1), (dayOf(range.to - 1) + 1) * dayMs);
      for (let day = dayOf(start); day * dayMs < end; day++) found.push(await spansOfDay(source, day));
    }
    await pause();
  }
  const cut = found
    .flat()
    .filter(({ from, to }) => to > range.from && from < range.to)
    .map((span) => ({ ...span, from: Math.max(span.from, range.from), to: Math.min(span.to, range.to) }));
  return joined(cut);
}

async function spansOfDay(source: Source, day: number): Promise<Span[]> {
  const { tables, stream, name } = source;
  const packed = tables.isMarked("dirty_day", stream.id, day) ? undefined : tables.get("day", stream.id, day);
  if (packed !== undefined) return packedSpans(packed, name);
  const range = { from: day * dayMs, to: (day + 1) * dayMs };
  const { times, values } = await samplesOf(source, range);
  return spansOf(times, values as Span["value"][], { ...range, holdMs: holdMsOf(times) });
}
