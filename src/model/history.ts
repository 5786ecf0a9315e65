import type { Origin, Values } from "./reading.ts";

/**
 * What is said against a row that history keeps.
 * `stale`: the value was measured earlier than its time says (a log of a line with two masters);
 * `recovered`: cut out of a damaged line by a stated rule.
 */
export const rowFlags = ["stale", "recovered"] as const;
export type RowFlag = (typeof rowFlags)[number];

/** One reading as history keeps it: identified by inverter, command and time, so that the same one given twice is kept once. */
export interface HistoryRow {
  /** Our own stable id of the inverter. */
  readonly inverter: string;
  /** UTC epoch milliseconds. */
  readonly at: number;
  /** The command that brought it, e.g. `QPIGS`. */
  readonly command: string;
  /** The answer as received, without `(`, checksum and CR; Latin-1. Absent for what came without its frame, such as an imported table. */
  readonly payload?: string;
  /** Measured and derived values together; their names never meet. A name that is missing was not sent. */
  readonly values: Values;
  /** Of every name in `values` that was not measured. */
  readonly origins?: Readonly<Record<string, Exclude<Origin, "measured">>>;
  readonly flags?: readonly RowFlag[];
}

/** What became of rows that were given to the store. */
export interface IngestResult {
  readonly added: number;
  /** The same inverter, command and time with the same values was there. */
  readonly repeated: number;
  /** The same inverter, command and time was there with other values; what was there is kept. */
  readonly conflicting: number;
}

/** What a point of a series stands for. `raw`: one reading each; `1d`: a local day of the site. */
export const levels = ["raw", "1min", "15min", "1h", "1d"] as const;
export type Level = (typeof levels)[number];

/** A number's course over one bucket of time. */
export interface Bucket {
  /** UTC epoch milliseconds of its start. */
  readonly at: number;
  /** Readings in it. */
  readonly count: number;
  readonly min: number;
  readonly max: number;
  /** Time-weighted mean over the covered part, in the metric's unit. */
  readonly mean: number;
  /** Milliseconds of it for which a value was known. */
  readonly coveredMs: number;
}

/** A word, a yes/no or a list that stood for a while. */
export interface Span {
  /** UTC epoch milliseconds, from inclusive, to exclusive: the last moment at which it was known to stand. */
  readonly from: number;
  readonly to: number;
  readonly value: string | boolean | readonly string[] | readonly number[];
}

export const eventKinds = ["link", "mode", "fault", "warning"] as const;
export type EventKind = (typeof eventKinds)[number];

/** Something that happened; identified by inverter, time, kind and key. */
export interface HistoryEvent {
  readonly at: number;
  /** Absent for what concerns the whole site. */
  readonly inverter?: string;
  readonly kind: EventKind;
  /** What of that kind, e.g. the warning's word or the setting's name. */
  readonly key: string;
  /** For people, one sentence. */
  readonly text: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface TimeRange {
  /** UTC epoch milliseconds, inclusive. */
  readonly from: number;
  /** UTC epoch milliseconds, exclusive. */
  readonly to: number;
}

/** One kept series: a name of one command's answers of one inverter. */
export interface SeriesInfo {
  readonly inverter: string;
  readonly command: string;
  readonly name: string;
  readonly origin: Origin;
  readonly type: "number" | "span";
}

export interface Series {
  readonly level: Level;
  /** Milliseconds of a bucket; absent for single readings and for local days. */
  readonly bucketMs?: number;
  /** In time order; of `raw` each has count 1, min = max = mean. */
  readonly buckets: readonly Bucket[];
}
