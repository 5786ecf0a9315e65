import type { EventKind, HistoryEvent, HistoryRow, Level, Series, SeriesInfo, Span, TimeRange } from "../model/history.ts";

/** What is kept of one inverter's answers to one command; times are UTC epoch milliseconds. */
export interface HistoryContents {
  readonly inverter: string;
  readonly command: string;
  readonly first: number;
  readonly last: number;
  readonly names: readonly SeriesInfo[];
}

/** One series; without a command the one whose answers come most often. */
export interface SeriesQuery extends TimeRange {
  readonly inverter: string;
  readonly command?: string;
  readonly name: string;
  /** At most so many buckets; 1,000 if absent. Not for a question that names its level. */
  readonly points?: number;
  /** Every bucket of this level. */
  readonly level?: Level;
}

export type SpanQuery = Omit<SeriesQuery, "points" | "level">;

export interface RowQuery extends TimeRange {
  readonly inverters?: readonly string[];
  readonly commands?: readonly string[];
  /** With the answers as they came. */
  readonly payloads?: boolean;
}

export interface EventQuery extends TimeRange {
  /** Its own events and those that concern the whole site. */
  readonly inverter?: string;
  readonly kinds?: readonly EventKind[];
  /** At most so many, the latest; all if absent. */
  readonly limit?: number;
}

type Options = { readonly signal: AbortSignal };

/**
 * Answers questions about what was kept, up to the last reading that was handed over. Rejects with RefusedError
 * `inverter-unknown`, `series-unknown` or `request-invalid`, with StoreError, or with the signal's reason.
 */
export interface HistoryReader {
  contents(): Promise<readonly HistoryContents[]>;
  /** No level and no number of points hides a spike: every bucket has its extremes. */
  series(query: SeriesQuery, options: Options): Promise<Series>;
  spans(query: SpanQuery, options: Options): Promise<readonly Span[]>;
  /** Every row in time order, an hour at a time. */
  rows(query: RowQuery, options: Options): AsyncIterable<readonly HistoryRow[]>;
  events(query: EventQuery, options: Options): Promise<readonly HistoryEvent[]>;
}
