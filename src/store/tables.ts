import type { Origin } from "../model/reading.ts";
import { inTransaction, type Database } from "./database.ts";
import { keyOf, periodOf } from "./keys.ts";

/** One inverter's answers to one command. */
export interface StreamRow {
  readonly id: number;
  readonly inverter: string;
  readonly command: string;
  readonly names: StreamNames;
}

/** The series of a stream: what kind of values each has, and where they come from. */
export type StreamNames = Readonly<Record<string, { readonly type: "number" | "span"; readonly origin: Origin }>>;

export interface SegmentRow {
  /** UTC epoch milliseconds of the first and the last row. */
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly body: Uint8Array;
}

/** What a table of blobs holds of one stream: `segment` and `frames` an hour each, `day` and `month` what they say, `energy` a day. */
export const blobTables = ["segment", "frames", "day", "month", "energy"] as const;
export type BlobTable = (typeof blobTables)[number];
export const dirtyTables = ["dirty_day", "dirty_month"] as const;
export type DirtyTable = (typeof dirtyTables)[number];

export interface Blob {
  /** Whole UTC hours, days or months since the epoch. */
  readonly period: number;
  readonly body: Uint8Array;
}

type Statement = ReturnType<Database["prepare"]>;

/** The rows of the database, by stream and period. */
export class Tables {
  readonly database: Database;
  readonly #statements = new Map<string, Statement>();
  readonly #streamIds = new Map<string, number>();

  constructor(database: Database) {
    this.database = database;
  }

  /** All of it or nothing. */
  together<Result>(work: () => Result): Result {
    try {
      return inTransaction(this.database, work);
    } catch (error) {
      // Numbers that were given out in it are void.
      this.#streamIds.clear();
      throw error;
    }
  }

  streams(): StreamRow[] {
    const rows = this.#sql("SELECT id, inverter, command, names FROM stream ORDER BY inverter, command").all() as {
      id: number;
      inverter: string;
      command: string;
      names: string;
    }[];
    return rows.map(({ names, ...row }) => ({ ...row, names: JSON.parse(names) as StreamNames }));
  }

  /** The number of a stream; a new one gets one. */
  streamId(inverter: string, command: string): number {
    const name = `${inverter} ${command}`;
    const known = this.#streamIds.get(name);
    if (known !== undefined) return known;
    this.#sql("INSERT OR IGNORE INTO stream (inverter, command) VALUES (?, ?)").run(inverter, command);
    const { id } = this.#sql("SELECT id FROM stream WHERE inverter = ? AND command = ?").get(inverter, command) as { id: number };
    this.#streamIds.set(name, id);
    return id;
  }

  /** Absent for a stream that has no number yet. */
  findStream(inverter: string, command: string): number | undefined {
    const row = this.#sql("SELECT id FROM stream WHERE inverter = ? AND command = ?").get(inverter, command) as { id: number } | undefined;
    return row?.id;
  }

  /** A stream with its number, as another database had it. */
  putStream({ id, inverter, command, names }: StreamRow): void {
    this.#sql("INSERT INTO stream (id, inverter, command, names) VALUES (?, ?, ?, ?)").run(id, inverter, command, JSON.stringify(names));
  }

  namesOf(stream: number): StreamNames {
    const row = this.#sql("SELECT names FROM stream WHERE id = ?").get(stream) as { names: string } | undefined;
    return row === undefined ? {} : (JSON.parse(row.names) as StreamNames);
  }

  setNames(stream: number, names: StreamNames): void {
    this.#sql("UPDATE stream SET names = ? WHERE id = ?").run(JSON.stringify(names), stream);
  }

  segment(stream: number, hour: number): SegmentRow | undefined {
    return this.#sql("SELECT first, last, count, body FROM segment WHERE key = ?").get(keyOf(stream, hour)) as SegmentRow | undefined;
  }

  putSegment(stream: number, hour: number, { first, last, count, body }: SegmentRow): void {
    this.#sql("INSERT OR REPLACE INTO segment (key, first, last, count, body) VALUES (?, ?, ?, ?, ?)").run(
      keyOf(stream, hour),
      first,
      last,
      count,
      body,
    );
  }

  /** The times of its first and last row; absent for one without rows. */
  extent(stream: number): { readonly first: number; readonly last: number } | undefined {
    const low = keyOf(stream, 0);
    const high = keyOf(stream + 1, 0);
    const first = this.#sql("SELECT first FROM segment WHERE key >= ? AND key < ? ORDER BY key LIMIT 1").get(low, high) as
      { first: number } | undefined;
    const last = this.#sql("SELECT last FROM segment WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT 1").get(low, high) as
      { last: number } | undefined;
    return first && last && { first: first.first, last: last.last };
  }

  /** Moves a block that cannot be read out of the way. */
  setAsideKey(table: BlobTable, key: number): void {
    this.#sql(`INSERT INTO damaged (place, key, body) SELECT ?, key, body FROM ${table} WHERE key = ?`).run(table, key);
    this.#sql(`DELETE FROM ${table} WHERE key = ?`).run(key);
  }

  /** The first hour with rows from the given one on. */
  nextSegment(stream: number, hour: number): number | undefined {
    const row = this.#sql("SELECT key FROM segment WHERE key >= ? AND key < ? ORDER BY key LIMIT 1").get(
      keyOf(stream, hour),
      keyOf(stream + 1, 0),
    ) as { key: number } | undefined;
    return row && periodOf(row.key);
  }

  /** Rows of the latest hour that has any. */
  latestCount(stream: number): number {
    const row = this.#sql("SELECT count FROM segment WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT 1").get(
      keyOf(stream, 0),
      keyOf(stream + 1, 0),
    ) as { count: number } | undefined;
    return row?.count ?? 0;
  }

  get(table: BlobTable, stream: number, period: number): Uint8Array | undefined {
    return (this.#sql(`SELECT body FROM ${table} WHERE key = ?`).get(keyOf(stream, period)) as { body: Uint8Array } | undefined)?.body;
  }

  put(table: Exclude<BlobTable, "segment">, stream: number, period: number, body: Uint8Array): void {
    this.#sql(`INSERT OR REPLACE INTO ${table} (key, body) VALUES (?, ?)`).run(keyOf(stream, period), body);
  }

  /** The blobs of a stream in a range of periods, last one inclusive, in time order. */
  *range(table: BlobTable, stream: number, from: number, to: number): Generator<Blob> {
    const rows = this.database.prepare(`SELECT key, body FROM ${table} WHERE key >= ? AND key <= ? ORDER BY key`);
    for (const row of rows.iterate(keyOf(stream, from), keyOf(stream, to)) as Iterable<{ key: number; body: Uint8Array }>)
      yield { period: periodOf(row.key), body: row.body };
  }

  /** The nearest segment before an hour, at most so many hours back. */
  segmentBefore(stream: number, hour: number, hoursBack: number): Uint8Array | undefined {
    const row = this.#sql("SELECT body FROM segment WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT 1").get(
      keyOf(stream, Math.max(0, hour - hoursBack)),
      keyOf(stream, hour),
    ) as { body: Uint8Array } | undefined;
    return row?.body;
  }

  mark(table: DirtyTable, stream: number, period: number): void {
    this.#sql(`INSERT OR IGNORE INTO ${table} (key) VALUES (?)`).run(keyOf(stream, period));
  }

  unmark(table: DirtyTable, stream: number, period: number): void {
    this.#sql(`DELETE FROM ${table} WHERE key = ?`).run(keyOf(stream, period));
  }

  isMarked(table: DirtyTable, stream: number, period: number): boolean {
    return this.#sql(`SELECT 1 FROM ${table} WHERE key = ?`).get(keyOf(stream, period)) !== undefined;
  }

  /** Marked periods of a stream, oldest first. */
  marked(table: DirtyTable, stream: number): number[] {
    const rows = this.#sql(`SELECT key FROM ${table} WHERE key >= ? AND key < ? ORDER BY key`).all(keyOf(stream, 0), keyOf(stream + 1, 0));
    return (rows as { key: number }[]).map(({ key }) => periodOf(key));
  }

  allMarked(table: DirtyTable): number[] {
    return (this.#sql(`SELECT key FROM ${table}`).all() as { key: number }[]).map(({ key }) => key);
  }

  /** A small thing kept by name, as it was given. */
  kept(name: string): unknown {
    const row = this.#sql("SELECT value FROM kept WHERE name = ?").get(name) as { value: string } | undefined;
    return row === undefined ? undefined : JSON.parse(row.value);
  }

  /** Every small thing that is kept. */
  allKept(): (readonly [name: string, value: unknown])[] {
    const rows = this.#sql("SELECT name, value FROM kept ORDER BY name").all() as { name: string; value: string }[];
    return rows.map(({ name, value }) => [name, JSON.parse(value)]);
  }

  forget(name: string): void {
    this.#sql("DELETE FROM kept WHERE name = ?").run(name);
  }

  keep(name: string, value: unknown): void {
    this.#sql("INSERT OR REPLACE INTO kept (name, value) VALUES (?, ?)").run(name, JSON.stringify(value));
  }

  /** A prepared statement, made once. Not for one that is iterated while others run. */
  #sql(text: string): Statement {
    let statement = this.#statements.get(text);
    if (statement === undefined) this.#statements.set(text, (statement = this.database.prepare(text)));
    return statement;
  }
}
