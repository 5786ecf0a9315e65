import type { EventKind, HistoryEvent, HistoryRow, IngestResult, Level, Series, SeriesInfo, Span, TimeRange } from "../model/history.ts";

/** Takes rows and events of any time and order; resolves when they are kept durably. */
export interface HistoryInput {
  ingest(rows: readonly HistoryRow[], options?: { readonly signal?: AbortSignal }): Promise<IngestResult>;
  events(events: readonly HistoryEvent[]): Promise<void>;
}

/** Answers questions about what was kept, up to the last reading that was handed over. */
export interface HistoryReader {
  /** What there is, with the time of the first and the last row of each inverter and command. */
  contents(): Promise<
    readonly {
      readonly inverter: string;
      readonly command: string;
      readonly first: number;
      readonly last: number;
      readonly names: readonly SeriesInfo[];
    }[]
  >;
  /** At the finest level that has no more than about three times `points` buckets, or at `level`. Never loses a spike: min and max are kept at every level. */
  series(
    query: TimeRange & {
      readonly inverter: string;
      readonly command?: string;
      readonly name: string;
      readonly points?: number;
      readonly level?: Level;
    },
    options: { readonly signal: AbortSignal },
  ): Promise<Series>;
  spans(
    query: TimeRange & { readonly inverter: string; readonly command?: string; readonly name: string },
    options: { readonly signal: AbortSignal },
  ): Promise<readonly Span[]>;
  /** Every kept row, in time order, in batches of some thousand. */
  rows(
    query: TimeRange & { readonly inverters?: readonly string[]; readonly commands?: readonly string[]; readonly payloads?: boolean },
    options: { readonly signal: AbortSignal },
  ): AsyncIterable<readonly HistoryRow[]>;
  events(
    query: TimeRange & { readonly inverter?: string; readonly kinds?: readonly EventKind[]; readonly limit?: number },
    options: { readonly signal: AbortSignal },
  ): Promise<readonly HistoryEvent[]>;
}
