import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "../model/errors.ts";
import type { HistoryEvent, HistoryRow, IngestResult } from "../model/history.ts";
import { openDatabase, type Database } from "./database.ts";
import { putEvents } from "./events.ts";
import { packNext } from "./packer.ts";
import { migrate } from "./schema.ts";
import { sealRows, type ChangedHour } from "./sealer.ts";
import { Tables } from "./tables.ts";

/** The database's name in the history folder. */
export const databaseName = "history.db";

/** Rows in one transaction of an import: enough to be fast, few enough to hold the writing lock for well under a second. */
const rowsPerTransaction = 20_000;
const oldestTime = Date.UTC(2000, 0, 1);
const futureMs = 24 * 3_600_000;

export interface SegmentWriterOptions {
  readonly folder: string;
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

/** Writes rows straight into the database. Several may, also of different programs: each change is one transaction. */
export class SegmentWriter implements AsyncDisposable {
  readonly tables: Tables;
  readonly beside: Beside | undefined;
  readonly #now: () => number;
  readonly #database: Database;
  #refused = 0;

  private constructor(database: Database, { now, beside }: SegmentWriterOptions) {
    this.#database = database;
    this.#now = now;
    this.tables = new Tables(database);
    this.beside = beside?.(this.tables);
  }

  /** Opens the folder, made if it is not there. Throws StoreError. */
  static async open(options: SegmentWriterOptions): Promise<SegmentWriter> {
    await mkdir(options.folder, { recursive: true });
    const path = join(options.folder, databaseName);
    const database = await openDatabase(path);
    try {
      migrate(database, path);
      return new SegmentWriter(database, options);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Rows that were refused because of an impossible time or number. */
  get refused(): number {
    return this.#refused;
  }

  /** The rows that can be kept; the others are counted. */
  sound(rows: readonly HistoryRow[]): readonly HistoryRow[] {
    const latest = this.#now() + futureMs;
    const isSound = ({ at, values }: HistoryRow): boolean =>
      Number.isSafeInteger(at) && at >= oldestTime && at <= latest && isFiniteThroughout(values);
    if (rows.every(isSound)) return rows;
    const sound = rows.filter(isSound);
    this.#refused += rows.length - sound.length;
    return sound;
  }

  /** Takes rows of any time and order. The same ones again change nothing. Throws StoreError. */
  ingest(rows: readonly HistoryRow[]): IngestResult {
    const total = { added: 0, repeated: 0, conflicting: 0 };
    const sound = this.sound(rows);
    for (let start = 0; start < sound.length; start += rowsPerTransaction) {
      const part = this.seal(sound.slice(start, start + rowsPerTransaction), (changed) => this.beside?.recount(changed));
      total.added += part.added;
      total.repeated += part.repeated;
      total.conflicting += part.conflicting;
    }
    return total;
  }

  /** Puts sound rows into their segments, and does something else in the same transaction. Throws StoreError. */
  seal(rows: readonly HistoryRow[], also: (changed: readonly ChangedHour[]) => void): IngestResult {
    if (rows.length === 0) return { added: 0, repeated: 0, conflicting: 0 };
    try {
      return this.tables.together(() => {
        const { changed, ...result } = sealRows(this.tables, rows);
        also(changed);
        return result;
      });
    } catch (error) {
      if (error instanceof StoreError) throw error;
      throw new StoreError("store-failed", `History could not be written: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }

  /** The same event again changes nothing. */
  events(events: readonly HistoryEvent[]): void {
    this.tables.together(() => putEvents(this.#database, events));
  }

  /** Makes at most one pack of what lies under it; false when there is nothing to do. */
  pack(): boolean {
    return packNext(this.tables, this.#now());
  }

  /** Brings what was committed into the database file itself; false while a reader holds it up. */
  checkpoint(): boolean {
    const { log, checkpointed } = this.#database.prepare("PRAGMA wal_checkpoint(PASSIVE)").get() as { log: number; checkpointed: number };
    return log === checkpointed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#database.close();
    return Promise.resolve();
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
