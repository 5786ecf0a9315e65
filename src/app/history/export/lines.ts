import type { Bucket, HistoryRow, Level, TimeRange } from "../../../model/history.ts";
import { localPeriodAt, localPeriods } from "../../../model/local-periods.ts";
import type { LocalTime } from "../../../model/local-time.ts";
import { levelMs } from "../../../store/level.ts";
import type { HistoryContents, HistoryReader } from "../../../store/ports.ts";
import { keyOf, type ExportLine, type Figure } from "./head.ts";

type Options = { readonly signal: AbortSignal };

export interface LinesQuery extends TimeRange {
  /** With the names that are wanted alone. */
  readonly streams: readonly HistoryContents[];
  /** Whether names leave anything out of a row. */
  readonly isPart: boolean;
  readonly payloads: boolean;
}

/** Single readings in the order of time, inverter and command, an hour at a time. */
export async function* readingLines(
  reader: HistoryReader,
  { streams, isPart, payloads, from, to }: LinesQuery,
  { signal }: Options,
): AsyncGenerator<readonly ExportLine[]> {
  const names = new Map(streams.map((stream) => [streamKey(stream), new Set(stream.names.map(({ name }) => name))]));
  const query = {
    from,
    to,
    inverters: unique(streams.map(({ inverter }) => inverter)),
    commands: unique(streams.map(({ command }) => command)),
    payloads,
  };
  for await (const rows of reader.rows(query, { signal })) {
    const lines: HistoryRow[] = [];
    for (const row of rows) {
      const wanted = names.get(streamKey(row));
      const part = wanted === undefined ? undefined : isPart ? only(row, wanted) : row;
      if (part !== undefined) lines.push(part);
    }
    if (lines.length > 0) yield lines.toSorted(inOrder);
  }
}

const streamKey = ({ inverter, command }: { readonly inverter: string; readonly command: string }): string => `${inverter} ${command}`;
const unique = (words: readonly string[]): string[] => [...new Set(words)];

function inOrder(one: ExportLine, other: ExportLine): number {
  if (one.at !== other.at) return one.at - other.at;
  if (one.inverter !== other.inverter) return one.inverter < other.inverter ? -1 : 1;
  return (one.command ?? "") < (other.command ?? "") ? -1 : 1;
}

/** The row with these names alone; absent where it has none of them. */
function only(row: HistoryRow, names: ReadonlySet<string>): HistoryRow | undefined {
  const values = Object.fromEntries(Object.entries(row.values).filter(([name]) => names.has(name)));
  return Object.keys(values).length === 0 ? undefined : { ...row, values };
}

/** Days, months and years of buckets that are in memory at a time. */
const sliceOf: Readonly<Record<Exclude<Level, "raw">, { readonly kind: "month" | "year" | "day" }>> = {
  "1min": { kind: "day" },
  "15min": { kind: "month" },
  "1h": { kind: "month" },
  "1d": { kind: "year" },
};

export interface BucketsQuery extends TimeRange {
  readonly streams: readonly HistoryContents[];
  readonly level: Exclude<Level, "raw">;
  /** In which order of commands a value is looked for; history chooses if absent. */
  readonly commands: readonly string[] | undefined;
  readonly local: LocalTime;
  /** A place whose clock is never changed. */
  readonly utc: LocalTime;
}

/** Every bucket that lies in the range, even in part: a line for each inverter of which something is known. */
export async function* bucketLines(
  reader: HistoryReader,
  { streams, level, commands, from, to, local, utc }: BucketsQuery,
  { signal }: Options,
): AsyncGenerator<readonly ExportLine[]> {
  const whole = level === "1d" ? daysOf({ from, to }, local) : evenly({ from, to }, levelMs[level]);
  const lengthOf = (at: number): number => {
    if (level !== "1d") return levelMs[level];
    const day = localPeriodAt(at, "day", local);
    return day.to - day.from;
  };
  for (const period of localPeriods(whole, sliceOf[level].kind, level === "1d" ? local : utc)) {
    const slice = { from: Math.max(period.from, whole.from), to: Math.min(period.to, whole.to) };
    const lines = new Map<string, { readonly at: number; readonly inverter: string; readonly values: Record<string, number> }>();
    for (const series of seriesOf(streams, commands, slice)) {
      const { buckets } = await reader.series({ ...series, ...slice, level }, { signal });
      for (const bucket of buckets) {
        const key = `${bucket.at} ${series.inverter}`;
        const line = lines.get(key) ?? { at: bucket.at, inverter: series.inverter, values: {} };
        lines.set(key, line);
        Object.assign(line.values, figuresOf(series.name, bucket, lengthOf(bucket.at)));
      }
    }
    if (lines.size > 0) yield [...lines.values()].toSorted(inOrder);
  }
}

function daysOf({ from, to }: TimeRange, local: LocalTime): TimeRange {
  return { from: localPeriodAt(from, "day", local).from, to: localPeriodAt(to - 1, "day", local).to };
}

function evenly({ from, to }: TimeRange, widthMs: number): TimeRange {
  return { from: Math.floor(from / widthMs) * widthMs, to: Math.ceil(to / widthMs) * widthMs };
}

interface OneSeries {
  readonly inverter: string;
  readonly name: string;
  readonly command?: string;
}

/** Every value of every inverter once, where there may be something of it in the range. */
function seriesOf(streams: readonly HistoryContents[], commands: readonly string[] | undefined, { from, to }: TimeRange): OneSeries[] {
  const found = new Map<string, OneSeries>();
  const rank = (command: string): number => commands?.indexOf(command) ?? 0;
  for (const { inverter, command, names, first, last } of streams.toSorted((one, other) => rank(one.command) - rank(other.command))) {
    if (last < from || first >= to) continue;
    for (const { name } of names) {
      const key = `${inverter} ${name}`;
      if (!found.has(key)) found.set(key, { inverter, name, ...(commands !== undefined && { command }) });
    }
  }
  return [...found.values()];
}

/** A mean needs no more digits than anybody can see. */
const rounded = (value: number, digits: number): number => Math.round(value * 10 ** digits) / 10 ** digits;

function figuresOf(name: string, { min, max, mean, coveredMs }: Bucket, lengthMs: number): Record<string, number> {
  const figure: Readonly<Record<Figure, number>> = { min, max, mean: rounded(mean, 4), coverage: rounded((coveredMs / lengthMs) * 100, 2) };
  return Object.fromEntries(Object.entries(figure).map(([key, value]) => [keyOf({ name, figure: key as Figure }), value]));
}
