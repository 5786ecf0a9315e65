import { RefusedError } from "../../../model/errors.ts";
import type { Level } from "../../../model/history.ts";
import { LocalTime } from "../../../model/local-time.ts";
import type { HistoryReader } from "../../../store/ports.ts";
import { CsvEncoder, isoTime } from "./csv-encoder.ts";
import type { ExportFormat } from "./formats.ts";
import type { Encoder, ExportLine, TableHead } from "./head.ts";
import { JsonEncoder } from "./json-encoder.ts";
import { bucketLines, readingLines } from "./lines.ts";
import { select, valueColumns, type Wanted } from "./selection.ts";

export interface ExportQuery extends Wanted {
  /** UTC epoch ms, inclusive; from the first reading on if absent. */
  readonly from?: number | undefined;
  /** UTC epoch ms, exclusive; up to now if absent. */
  readonly to?: number | undefined;
  readonly level: Level;
  readonly format: ExportFormat;
  /** With the answers as they came; `raw` alone has them. */
  readonly payloads?: boolean | undefined;
}

export interface ExportOptions {
  readonly local: LocalTime;
  /** UTC epoch ms. */
  readonly now: number;
  /** Told after every piece: how many lines there are so far, and the time of the latest. */
  readonly onLines?: ((count: number, at: number) => void) | undefined;
  readonly signal: AbortSignal;
}

/** An export of which the first lines have been read. */
export interface StartedExport {
  readonly from: number;
  readonly to: number;
  /** The file, piece by piece; to be read once. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * Begins to read an export; however long the range, a small part of it is in memory. Throws RefusedError for what history does not
 * have, and for a range without anything in it, before the first byte.
 */
export async function startExport(reader: HistoryReader, query: ExportQuery, options: ExportOptions): Promise<StartedExport> {
  const { level, format, payloads = false } = query;
  const { local, signal } = options;
  signal.throwIfAborted();
  if (payloads && level !== "raw")
    throw new RefusedError("request-invalid", `expected the level raw for answers as they came, got ${level}`);
  const streams = select(await reader.contents(), query, level);
  if (streams.length === 0) throw new RefusedError("request-invalid", "expected a history with something in it, got one that is empty");
  const first = streams.reduce((earliest, stream) => Math.min(earliest, stream.first), options.now);
  const last = streams.reduce((latest, stream) => Math.max(latest, stream.last), first);
  const range = { from: query.from ?? first, to: query.to ?? options.now };
  const told = `${isoTime(range.from, local)} to ${isoTime(range.to, local)}`;
  if (!(range.from < range.to)) throw new RefusedError("request-invalid", `expected a range whose start is before its end, got ${told}`);
  const lines =
    level === "raw"
      ? readingLines(reader, { ...range, streams, payloads, isPart: query.names !== undefined }, { signal })
      : bucketLines(reader, { ...range, streams, level, commands: query.commands, local, utc: LocalTime.of("UTC") }, { signal });
  const begun = await lines.next();
  if (begun.done === true) {
    const there = `there is something from ${isoTime(first, local)} to ${isoTime(last, local)}`;
    throw new RefusedError("request-invalid", `expected a range in which something was kept, got ${told}; ${there}`);
  }
  const table: TableHead = { ...range, level, timeZone: local.timeZone, values: valueColumns(streams, level), payloads };
  const encoder = await encoderOf(format, table, local);
  return { ...range, chunks: chunksOf(begun.value, lines, encoder, options) };
}

/** Parquet takes a library, which is loaded when it is wanted. */
async function encoderOf(format: ExportFormat, table: TableHead, local: LocalTime): Promise<Encoder> {
  if (format === "csv") return new CsvEncoder(table, local);
  if (format === "jsonl") return new JsonEncoder(table, local);
  const { ParquetEncoder } = await import("./parquet-encoder.ts");
  return new ParquetEncoder(table);
}

async function* chunksOf(
  begun: readonly ExportLine[],
  rest: AsyncGenerator<readonly ExportLine[]>,
  encoder: Encoder,
  { onLines, signal }: ExportOptions,
): AsyncGenerator<Uint8Array> {
  let count = 0;
  const encoded = async (lines: readonly ExportLine[]): Promise<Uint8Array> => {
    count += lines.length;
    const bytes = await encoder.lines(lines);
    onLines?.(count, lines.at(-1)?.at ?? 0);
    return bytes;
  };
  const start = await encoded(begun);
  if (start.length > 0) yield start;
  for await (const lines of rest) {
    signal.throwIfAborted();
    const bytes = await encoded(lines);
    if (bytes.length > 0) yield bytes;
  }
  const end = await encoder.end();
  if (end.length > 0) yield end;
}
