import { join } from "node:path";
import { RefusedError } from "../model/errors.ts";
import type { Bucket, HistoryEvent, HistoryRow, Level, Series, SeriesInfo, Span, TimeRange } from "../model/history.ts";
import { localPeriods } from "../model/local-periods.ts";
import { LocalTime } from "../model/local-time.ts";
import { openDatabase, type Database } from "./database.ts";
import { findEvents } from "./events.ts";
import { dayMs, dayOf, hourMs, hourOf, keyOf, periodOf } from "./keys.ts";
import { levelFor, levelMs } from "./level.ts";
import { bucketsAt, readingsOf, rolledUp, spansIn, type Source } from "./look-up.ts";
import { mergeRows } from "./merge.ts";
import { decodePayloads } from "./payloads.ts";
import type { EventQuery, HistoryContents, HistoryReader, RowQuery, SeriesQuery, SpanQuery } from "./ports.ts";
import { coarsen, edgesOf } from "./rollup.ts";
import { readingsFromDay } from "./retention.ts";
import { mustBeCurrent } from "./schema.ts";
import { decodeSegment } from "./segment.ts";
import { Tables, type StreamNames } from "./tables.ts";
import { Tail } from "./tail.ts";
import { pause } from "./thread.ts";
import { databaseName } from "./segment-writer.ts";

export interface StoreReaderOptions {
  readonly folder: string;
  /** IANA name; decides where a day begins. */
  readonly timeZone: string;
}

type Options = { readonly signal: AbortSignal };
interface Stream {
  readonly id: number;
  readonly inverter: string;
  readonly command: string;
  readonly names: StreamNames;
}

const defaultPoints = 1_000;
/** What is in memory of one question about rows. */
const rowSliceMs = hourMs;

/** Reads a history folder, beside whoever writes it or alone. */
export class StoreReader implements HistoryReader, AsyncDisposable {
  readonly #local: LocalTime;
  readonly #database: Database;
  readonly tables: Tables;
  readonly #tail: Tail;

  private constructor(options: StoreReaderOptions, database: Database) {
    this.#local = LocalTime.of(options.timeZone);
    this.#database = database;
    this.tables = new Tables(database);
    this.#tail = new Tail(options.folder);
  }

  /** Throws StoreError where there is no history of this version. */
  static async open(options: StoreReaderOptions): Promise<StoreReader> {
    const path = join(options.folder, databaseName);
    const database = await openDatabase(path, { readOnly: true });
    try {
      mustBeCurrent(database, path);
      return new StoreReader(options, database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  async contents(): Promise<readonly HistoryContents[]> {
    await this.#tail.refresh();
    return this.#streams().flatMap((stream) => {
      const extent = this.#extentOf(stream);
      if (extent === undefined) return [];
      const { inverter, command } = stream;
      const names = Object.entries(stream.names).map(([name, { type, origin }]): SeriesInfo => ({ inverter, command, name, origin, type }));
      return [{ inverter, command, ...extent, names }];
    });
  }

  async series({ inverter, command, name, from, to, points = defaultPoints, level }: SeriesQuery, { signal }: Options): Promise<Series> {
    mustBeRange({ from, to });
    const source = await this.#sourceOf({ inverter, command, name, type: "number" }, signal);
    const range = this.#within(source, { from, to });
    const chosen = level ?? this.#levelFor({ from, to }, points);
    if (range === undefined) return { level: chosen, buckets: [] };
    if (chosen === "1d") return { level: chosen, buckets: await this.#localDays(source, range) };
    if (chosen !== "raw") {
      const ownMs = levelMs[chosen];
      const buckets = await bucketsAt(source, range, chosen);
      if (level !== undefined || buckets.length <= points) return { level: chosen, bucketMs: ownMs, buckets };
      // Whole buckets from the one in which the range begins: none is left out, and none reaches over an edge.
      const first = Math.floor(from / ownMs) * ownMs;
      const widthMs = Math.ceil((to - first) / points / ownMs) * ownMs;
      return { level: chosen, bucketMs: widthMs, buckets: coarsen(buckets, edgesOf(first, to, widthMs)) };
    }
    const buckets = await readingsOf(source, range);
    if (level !== undefined || buckets.length <= points) return { level: chosen, buckets };
    const widthMs = Math.ceil((to - from) / points);
    return { level: chosen, bucketMs: widthMs, buckets: await rolledUp(source, { from, to }, widthMs) };
  }

  async spans({ inverter, command, name, from, to }: SpanQuery, { signal }: Options): Promise<readonly Span[]> {
    mustBeRange({ from, to });
    const source = await this.#sourceOf({ inverter, command, name, type: "span" }, signal);
    const range = this.#within(source, { from, to });
    return range === undefined ? [] : await spansIn(source, range);
  }

  /** The events of a range in time order; a limit keeps the latest. */
  events(query: EventQuery, { signal }: Options): Promise<readonly HistoryEvent[]> {
    signal.throwIfAborted();
    return Promise.resolve(findEvents(this.#database, query));
  }

  async *rows(query: RowQuery, { signal }: Options): AsyncGenerator<readonly HistoryRow[]> {
    let from: number | undefined = query.from;
    while (from !== undefined) {
      const part: { readonly rows: readonly HistoryRow[]; readonly next: number | undefined } = await this.rowsFrom(
        { ...query, from },
        { signal },
      );
      if (part.rows.length > 0) yield part.rows;
      from = part.next;
    }
  }

  /** The rows of the first hour of a range that has any, and where to go on; absent at the end. */
  async rowsFrom(
    query: RowQuery,
    { signal }: Options,
  ): Promise<{ readonly rows: readonly HistoryRow[]; readonly next: number | undefined }> {
    mustBeRange(query);
    await this.#tail.refresh();
    const streams = this.#streams().filter(
      ({ inverter, command }) => (query.inverters?.includes(inverter) ?? true) && (query.commands?.includes(command) ?? true),
    );
    let { from } = query;
    while (from < query.to) {
      await pause(signal);
      const start = this.#nextTime(streams, from);
      if (start === undefined || start >= query.to) break;
      const hour = hourOf(Math.max(from, start));
      const range = { from: Math.max(from, hour * rowSliceMs), to: Math.min(query.to, (hour + 1) * rowSliceMs) };
      const rows = streams.flatMap((stream) => this.#rowsOf(stream, hour, range, query.payloads === true));
      from = range.to;
      if (rows.length > 0) return { rows: rows.toSorted((a, b) => a.at - b.at), next: from < query.to ? from : undefined };
    }
    return { rows: [], next: undefined };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
    return Promise.resolve();
  }

  #rowsOf({ id, inverter, command }: Stream, hour: number, { from, to }: TimeRange, payloads: boolean): HistoryRow[] {
    const body = this.tables.segment(id, hour)?.body;
    const kept = body === undefined ? [] : decodeSegment(body, { inverter, command });
    const recent = this.#tail.rows(inverter, command, from, to);
    const rows = mergeRows(kept, recent).rows.filter(({ at }) => at >= from && at < to);
    if (!payloads) return rows.map(withoutPayload);
    const frames = this.tables.get("frames", id, hour);
    const lines = new Map((frames === undefined ? [] : decodePayloads(frames)).map(({ at, payload }) => [at, payload]));
    return rows.map((row) => {
      const payload = row.payload ?? lines.get(row.at);
      return payload === undefined ? row : { ...row, payload };
    });
  }

  /** When the next row of these streams is, from a moment on, to the hour. */
  #nextTime(streams: readonly Stream[], from: number): number | undefined {
    let next: number | undefined;
    for (const stream of streams) {
      const kept = this.tables.nextSegment(stream.id, hourOf(from));
      const recent = this.#tail.rows(stream.inverter, stream.command, from, Number.POSITIVE_INFINITY)[0]?.at;
      for (const at of [kept === undefined ? undefined : kept * hourMs, recent])
        if (at !== undefined && (next === undefined || at < next)) next = at;
    }
    return next;
  }

  /** Where single readings are gone, minutes are the finest there is. */
  #levelFor({ from, to }: TimeRange, points: number): Level {
    const level = levelFor(to - from, points);
    return level === "raw" && dayOf(from) < readingsFromDay(this.tables) ? "1min" : level;
  }

  async #localDays(source: Source, range: TimeRange): Promise<Bucket[]> {
    const days = localPeriods(range, "day", this.#local);
    const [first, last] = [days[0]?.from ?? range.from, days.at(-1)?.to ?? range.to];
    const fine = days.every(({ from }) => from % hourMs === 0) ? "1h" : "15min";
    return coarsen(
      await bucketsAt(source, { from: first, to: last }, fine),
      days.map(({ from }) => from),
    );
  }

  /** Streams of the database and those that are only in write-ahead files so far. */
  #streams(): Stream[] {
    const streams: Stream[] = this.tables.streams();
    const known = new Map(streams.map((stream) => [`${stream.inverter} ${stream.command}`, stream]));
    for (const { inverter, command, values, origins } of this.#tail.all()) {
      const key = `${inverter} ${command}`;
      const stream = known.get(key);
      const names: Record<string, StreamNames[string]> = { ...stream?.names };
      const before = Object.keys(names).length;
      for (const [name, value] of Object.entries(values))
        names[name] ??= { type: typeof value === "number" ? "number" : "span", origin: origins?.[name] ?? "measured" };
      if (stream === undefined || Object.keys(names).length > before)
        known.set(key, { id: stream?.id ?? noStream, inverter, command, names });
    }
    return [...known.values()];
  }

  #extentOf({ id, inverter, command }: Stream): { readonly first: number; readonly last: number } | undefined {
    const kept = together(this.tables.extent(id), packedExtent(this.tables, id));
    const recent = this.#tail.rows(inverter, command, 0, Number.POSITIVE_INFINITY);
    const [first, last] = [recent[0]?.at, recent.at(-1)?.at];
    if (first === undefined || last === undefined) return kept;
    return { first: Math.min(first, kept?.first ?? first), last: Math.max(last, kept?.last ?? last) };
  }

  async #sourceOf(
    { inverter, command, name, type }: { inverter: string; command?: string | undefined; name: string; type: "number" | "span" },
    signal: AbortSignal,
  ): Promise<Source> {
    await this.#tail.refresh();
    const own = this.#streams().filter((stream) => stream.inverter === inverter);
    if (own.length === 0) throw new RefusedError("inverter-unknown", `expected an inverter with history, got ${inverter}`);
    const having = own.filter((stream) => stream.names[name] !== undefined && (command === undefined || stream.command === command));
    const stream = having.find((each) => each.names[name]?.type === type) ?? having[0];
    if (stream === undefined)
      throw new RefusedError(
        "series-unknown",
        `expected a series of ${inverter}${command === undefined ? "" : ` ${command}`}, got ${name}`,
      );
    return {
      tables: this.tables,
      tail: this.#tail,
      stream: this.#fullest(having, type, name) ?? stream,
      name,
      pause: async () => await pause(signal),
    };
  }

  /** Of several commands that tell the same, the one that was asked most in its latest hour. */
  #fullest(streams: readonly Stream[], type: "number" | "span", name: string): Stream | undefined {
    let best: { readonly stream: Stream; readonly count: number } | undefined;
    for (const stream of streams) {
      if (stream.names[name]?.type !== type) continue;
      const count = Math.max(
        this.tables.latestCount(stream.id),
        this.#tail.rows(stream.inverter, stream.command, 0, Number.POSITIVE_INFINITY).length,
      );
      if (best === undefined || count > best.count) best = { stream, count };
    }
    return best?.stream;
  }

  /** The part of a range in which there is anything. */
  #within({ stream }: Source, { from, to }: TimeRange): TimeRange | undefined {
    const extent = this.#extentOf({ ...stream, names: {} });
    if (extent === undefined || extent.last < from || extent.first >= to) return undefined;
    return { from: Math.max(from, Math.floor(extent.first / hourMs) * hourMs), to: Math.min(to, (hourOf(extent.last) + 1) * hourMs) };
  }
}

function withoutPayload(row: HistoryRow): HistoryRow {
  const { inverter, at, command, values, origins, flags } = row;
  return { inverter, at, command, values, ...(origins && { origins }), ...(flags && { flags }) };
}

/** No stream of the database has this number. */
const noStream = 0;

type Extent = { readonly first: number; readonly last: number };

/** The days of a stream that have packs; their readings may be gone. */
function packedExtent({ database }: Tables, stream: number): Extent | undefined {
  const between = "FROM day WHERE key >= ? AND key < ?";
  const { first, last } = database
    .prepare(`SELECT (SELECT min(key) ${between}) AS first, (SELECT max(key) ${between}) AS last`)
    .get(keyOf(stream, 0), keyOf(stream + 1, 0), keyOf(stream, 0), keyOf(stream + 1, 0)) as { first: number | null; last: number | null };
  return first === null || last === null ? undefined : { first: periodOf(first) * dayMs, last: (periodOf(last) + 1) * dayMs - 1 };
}

/** A packed day counts from its first to its last moment only where its readings are gone. */
function together(rows: Extent | undefined, packs: Extent | undefined): Extent | undefined {
  if (rows === undefined || packs === undefined) return rows ?? packs;
  return {
    first: dayOf(packs.first) < dayOf(rows.first) ? packs.first : rows.first,
    last: dayOf(packs.last) > dayOf(rows.last) ? packs.last : rows.last,
  };
}

function mustBeRange({ from, to }: TimeRange): void {
  if (!(from < to)) throw new RefusedError("request-invalid", `expected a range whose start is before its end, got ${from} to ${to}`);
}
