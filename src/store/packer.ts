import type { Bucket, Span } from "../model/history.ts";
import type { Value } from "../model/reading.ts";
import { dayMs, dayOf, hourMs, monthOf, monthStart } from "./keys.ts";
import { levelMs } from "./level.ts";
import { decodePack, encodePack, type PackEntry } from "./pack.ts";
import { coarsen, edgesOf, holdMsOf, joined, rollUp, spansOf } from "./rollup.ts";
import { readingsFromDay } from "./retention.ts";
import { readColumns, type Column } from "./segment.ts";
import { readable, readOrSetAside } from "./set-aside.ts";
import type { Tables } from "./tables.ts";

/** Makes the pack of one day or month that is over and has changed; false when there is none. */
export function packNext(tables: Tables, now: number): boolean {
  const [today, thisMonth] = [dayOf(now), monthOf(now)];
  for (const { id } of tables.streams()) {
    const days = tables.marked("dirty_day", id);
    const day = days.find((each) => each < today);
    if (day !== undefined) {
      tables.together(() => packDay(tables, id, day));
      return true;
    }
    const month = tables.marked("dirty_month", id).find((each) => each < thisMonth);
    if (month === undefined) continue;
    tables.together(() => packMonth(tables, id, month));
    return true;
  }
  return false;
}

function packDay(tables: Tables, stream: number, day: number): void {
  const from = day * dayMs;
  const firstHour = from / hourMs;
  const series = new Map<string, Gathered>();
  const before = tables.segmentBefore(stream, firstHour, 1);
  for (const [name, column] of (before && readable(before, readColumns)) ?? []) gather(series, name, lastOf(column));
  // Read before: setting one aside changes the table.
  const hours = [...tables.range("segment", stream, firstHour, firstHour + 23)];
  for (const { period, body } of hours)
    for (const [name, column] of readOrSetAside(tables, { table: "segment", stream, period }, body, readColumns) ?? [])
      gather(series, name, column);
  const entries: PackEntry[] = [];
  for (const [name, { times, values, isNumber }] of series) {
    const range = { from, to: from + dayMs, holdMs: holdMsOf(times) };
    if (isNumber) {
      const buckets = rollUp(times, values as number[], { ...range, widthMs: levelMs["1min"] });
      if (buckets.length > 0) entries.push({ name, widthMs: levelMs["1min"], buckets });
    } else {
      const spans = spansOf(times, values as Span["value"][], range);
      if (spans.length > 0) entries.push({ name, widthMs: 0, spans });
    }
  }
  const there = day < readingsFromDay(tables) ? tables.get("day", stream, day) : undefined;
  const known = readOrSetAside(tables, { table: "day", stream, period: day }, there, decodePack);
  tables.put("day", stream, day, encodePack(from, known === undefined ? entries : over(known, entries)));
  tables.unmark("dirty_day", stream, day);
  tables.mark("dirty_month", stream, monthOf(from));
}

/** Late rows of a day whose other readings are gone: what they tell stands in place of what was there for the same minutes. */
function over(known: readonly PackEntry[], late: readonly PackEntry[]): PackEntry[] {
  const all = new Map(known.map((entry) => [`${entry.name} ${entry.widthMs}`, entry]));
  for (const entry of late) {
    const key = `${entry.name} ${entry.widthMs}`;
    const there = all.get(key);
    if (there?.buckets === undefined || entry.buckets === undefined) {
      if (there === undefined) all.set(key, entry);
      continue;
    }
    const buckets = new Map([...there.buckets, ...entry.buckets].map((bucket) => [bucket.at, bucket]));
    all.set(key, { ...entry, buckets: [...buckets.values()].toSorted((a, b) => a.at - b.at) });
  }
  return [...all.values()];
}

interface Gathered {
  readonly times: number[];
  readonly values: Value[];
  isNumber: boolean;
}

function gather(series: Map<string, Gathered>, name: string, { type, times, values }: Column): void {
  let all = series.get(name);
  if (all === undefined) series.set(name, (all = { times: [], values: [], isNumber: true }));
  all.isNumber &&= type === "number";
  for (let index = 0; index < times.length; index++) {
    all.times.push(times[index] as number);
    all.values.push(values[index] as Value);
  }
}

function lastOf(column: Column): Column {
  const from = Math.max(0, column.times.length - 1);
  const times = column.times.slice(from);
  return column.type === "number"
    ? { type: "number", times, values: column.values.slice(from) }
    : { type: "words", times, values: column.values.slice(from) };
}

function packMonth(tables: Tables, stream: number, month: number): void {
  const [from, to] = [monthStart(month), monthStart(month + 1)];
  const numbers = new Map<string, Bucket[]>();
  const words = new Map<string, Span[]>();
  const days = [...tables.range("day", stream, dayOf(from), dayOf(to) - 1)];
  // A day at a time: the minutes of a whole month would fill a small computer's memory.
  for (const { period, body } of days) {
    const pack = readOrSetAside(tables, { table: "day", stream, period }, body, decodePack);
    // Its readings may still be there; the month is made anew after it.
    if (pack === undefined) tables.mark("dirty_day", stream, period);
    const quarters = edgesOf(period * dayMs, (period + 1) * dayMs, levelMs["15min"]);
    for (const { name, buckets, spans } of pack ?? []) {
      if (buckets !== undefined) push(numbers, name, coarsen(buckets, quarters));
      if (spans !== undefined) push(words, name, spans);
    }
  }
  const hourEdges = edgesOf(from, to, levelMs["1h"]);
  const entries: PackEntry[] = [];
  for (const [name, buckets] of numbers) {
    entries.push({ name, widthMs: levelMs["15min"], buckets });
    entries.push({ name, widthMs: levelMs["1h"], buckets: coarsen(buckets, hourEdges) });
  }
  for (const [name, spans] of words) entries.push({ name, widthMs: 0, spans: joined(spans) });
  tables.put("month", stream, month, encodePack(from, entries));
  tables.unmark("dirty_month", stream, month);
}

function push<Item>(all: Map<string, Item[]>, name: string, items: readonly Item[]): void {
  const known = all.get(name);
  if (known === undefined) all.set(name, [...items]);
  else for (const item of items) known.push(item);
}
