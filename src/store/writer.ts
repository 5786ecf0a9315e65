import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "../model/errors.ts";
import type { HistoryEvent, HistoryRow, IngestResult } from "../model/history.ts";
import type { Logger } from "../model/logger.ts";
import { openDatabase, type Database } from "./database.ts";
import { putEvents } from "./events.ts";
import { hourOf } from "./keys.ts";
import { packNext } from "./packer.ts";
import { migrate } from "./schema.ts";
import { sealRows, type ChangedHour } from "./sealer.ts";
import { Tables } from "./tables.ts";
import { readWriteAhead, removeWriteAhead, WriteAhead, writeAheadFiles, type WriteAheadFile } from "./write-ahead.ts";

/** The database's name in the history folder. */
export const databaseName = "history.db";

/** Rows in one transaction of an import: enough to be fast, few enough to hold the writing lock for well under a second. */
const rowsPerTransaction = 20_000;
const oldestTime = Date.UTC(2000, 0, 1);
const futureMs = 24 * 3_600_000;
/** A line that polls without a pause fills the file long before the hour is over. */
const rowsPerFile = 100_000;

export interface HistoryWriterOptions {
  readonly folder: string;
  readonly logger: Logger;
  /** UTC epoch milliseconds. */
  readonly now: () => number;
  /** What is kept beside the rows, such as energy; made once the database is open. */
  readonly beside?: (tables: Tables) => Beside;
}

/** Keeps something that is computed from rows, in the same transaction as these. */
export interface Beside {
  /** Takes live rows in the order in which they came; after a restart those again that were not sealed. */
  count(rows: readonly HistoryRow[]): void;
  /** All that was counted so far is being sealed; within the transaction. */
  sealed(): void;
  committed(): void;
  /** Rows of other times have come in; within the transaction. */
  recount(changed: readonly ChangedHour[]): void;
}

export interface WriterState {
  /** Rows that are only in write-ahead files. */
  readonly unsealed: number;
  /** Rows refused because of an impossible time. */
  readonly refused: number;
}

/** Write-ahead files whose rows are on their way into the database. */
interface Closed {
  readonly file: WriteAheadFile;
  readonly rows: readonly HistoryRow[];
}

/** Keeps history in a folder. One at a time; it blocks while SQLite works, so it has a thread of its own. */
export class HistoryWriter implements AsyncDisposable {
  readonly tables: Tables;
  readonly #beside: Beside | undefined;
  readonly #options: HistoryWriterOptions;
  readonly #database: Database;
  #writeAhead: WriteAhead;
  #rows: HistoryRow[] = [];
  #hour: number;
  readonly #closed: Closed[] = [];
  #refused = 0;

  private constructor(options: HistoryWriterOptions, database: Database, writeAhead: WriteAhead) {
    this.#options = options;
    this.#database = database;
    this.tables = new Tables(database);
    this.#beside = options.beside?.(this.tables);
    this.#writeAhead = writeAhead;
    this.#hour = hourOf(options.now());
  }

  /** Opens the folder, made if it is not there, and brings in what an earlier run has left in write-ahead files. Throws StoreError. */
  static async open(options: HistoryWriterOptions): Promise<HistoryWriter> {
    const { folder, logger } = options;
    await mkdir(folder, { recursive: true });
    const path = join(folder, databaseName);
    const database = await openDatabase(path);
    try {
      migrate(database, path);
      const left = await writeAheadFiles(folder);
      const next = (left.at(-1)?.number ?? 0) + 1;
      const writer = new HistoryWriter(options, database, await WriteAhead.create(folder, next));
      for (const file of left) {
        const { rows, damagedLines, tornBytes } = await readWriteAhead(file.path);
        if (tornBytes > 0) logger.info(`${file.path}: ${tornBytes} bytes of a line that was cut short were left out`);
        if (damagedLines > 0) logger.warn(`${file.path}: ${damagedLines} damaged lines were left out`, { kept: rows.length });
        writer.#closed.push({ file, rows });
        writer.#beside?.count(rows);
      }
      await writer.#sealClosed();
      return writer;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  get state(): WriterState {
    return { unsealed: this.#rows.length + this.#closed.reduce((sum, { rows }) => sum + rows.length, 0), refused: this.#refused };
  }

  /** Takes live readings. When it resolves a killed process does not lose them; `sync` makes that hold for a power cut. */
  async append(rows: readonly HistoryRow[]): Promise<void> {
    const sound = this.#sound(rows);
    await this.#writeAhead.append(sound);
    for (const row of sound) this.#rows.push(row);
    this.#beside?.count(sound);
  }

  async sync(): Promise<void> {
    await this.#writeAhead.sync();
  }

  /** Brings finished hours into the database; to be called now and then. A disk that fails loses nothing: the next call tries again. */
  async tick(): Promise<void> {
    const hour = hourOf(this.#options.now());
    if (hour !== this.#hour || this.#rows.length >= rowsPerFile) await this.seal();
    else if (this.#closed.length > 0) await this.#sealClosed();
  }

  /** Brings everything so far into the database. */
  async seal(): Promise<void> {
    this.#hour = hourOf(this.#options.now());
    if (this.#rows.length > 0) {
      const next = await WriteAhead.create(this.#options.folder, this.#writeAhead.file.number + 1);
      const done = this.#writeAhead;
      this.#closed.push({ file: done.file, rows: this.#rows });
      this.#writeAhead = next;
      this.#rows = [];
      await done[Symbol.asyncDispose]();
    }
    await this.#sealClosed();
  }

  /** Makes at most one pack of what lies under it; false when there is nothing to do. */
  pack(): boolean {
    return packNext(this.tables, this.#options.now());
  }

  /** Takes rows of any time and order, straight into the database. Throws StoreError for none: rows with an impossible time or number are refused and counted. */
  ingest(rows: readonly HistoryRow[]): IngestResult {
    const total = { added: 0, repeated: 0, conflicting: 0 };
    const sound = this.#sound(rows);
    for (let start = 0; start < sound.length; start += rowsPerTransaction) {
      const part = this.#seal(sound.slice(start, start + rowsPerTransaction), (changed) => this.#beside?.recount(changed));
      total.added += part.added;
      total.repeated += part.repeated;
      total.conflicting += part.conflicting;
    }
    return total;
  }

  /** The same event again changes nothing. */
  events(events: readonly HistoryEvent[]): void {
    this.tables.together(() => putEvents(this.#database, events));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#writeAhead[Symbol.asyncDispose]();
      if (this.#rows.length === 0) await removeWriteAhead(this.#writeAhead.file);
    } finally {
      this.#database.close();
    }
  }

  #sound(rows: readonly HistoryRow[]): readonly HistoryRow[] {
    const latest = this.#options.now() + futureMs;
    const isSound = ({ at, values }: HistoryRow): boolean =>
      Number.isSafeInteger(at) && at >= oldestTime && at <= latest && isFiniteThroughout(values);
    if (rows.every(isSound)) return rows;
    const sound = rows.filter(isSound);
    this.#refused += rows.length - sound.length;
    return sound;
  }

  async #sealClosed(): Promise<void> {
    for (let closed = this.#closed[0]; closed !== undefined; closed = this.#closed[0]) {
      this.#seal(closed.rows, () => this.#beside?.sealed());
      this.#beside?.committed();
      this.#closed.shift();
      await removeWriteAhead(closed.file);
    }
  }

  #seal(rows: readonly HistoryRow[], also: (changed: readonly ChangedHour[]) => void): IngestResult {
    if (rows.length === 0) return { added: 0, repeated: 0, conflicting: 0 };
    try {
      return this.tables.together(() => {
        const { changed, ...result } = sealRows(this.tables, rows);
        also(changed);
        return result;
      });
    } catch (error) {
      if (error instanceof StoreError) throw error;
      throw new StoreError("store-damaged", `History could not be written: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
}

/** One row that no blob can hold would keep its whole hour from being sealed. */
function isFiniteThroughout(values: HistoryRow["values"]): boolean {
  for (const name in values) {
    const value = values[name];
    if (typeof value === "number" && !Number.isFinite(value)) return false;
  }
  return true;
}
