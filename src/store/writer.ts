import { mkdir } from "node:fs/promises";
import type { HistoryEvent, HistoryRow, IngestResult } from "../model/history.ts";
import type { Logger } from "../model/logger.ts";
import { markClosed, markOpened } from "./integrity.ts";
import { hourOf } from "./keys.ts";
import { closeDamaged, closeRescue, openRescue, openSound, type OpenRescue } from "./rescue-open.ts";
import type { SegmentWriter, SegmentWriterOptions } from "./segment-writer.ts";
import { writeSpare } from "./spare.ts";
import type { Tables } from "./tables.ts";
import { readWriteAhead, removeWriteAhead, WriteAhead, writeAheadFiles, type WriteAheadFile } from "./write-ahead.ts";

/** A line that polls without a pause fills the file long before the hour is over. */
const rowsPerFile = 100_000;

export interface HistoryWriterOptions extends SegmentWriterOptions {
  readonly logger: Logger;
}

export interface WriterState {
  /** Rows that are only in write-ahead files. */
  readonly unsealed: number;
  /** Rows refused because of an impossible time or number. */
  readonly refused: number;
}

/** Write-ahead files whose rows are on their way into the database. */
interface Closed {
  readonly file: WriteAheadFile;
  readonly rows: readonly HistoryRow[];
}

/** Keeps live readings in a folder. One at a time; it blocks while SQLite works, so it has a thread of its own. */
export class HistoryWriter implements AsyncDisposable {
  readonly #options: HistoryWriterOptions;
  readonly #segments: SegmentWriter;
  #writeAhead: WriteAhead;
  #rows: HistoryRow[] = [];
  #hour: number;
  readonly #closed: Closed[] = [];
  /** Files whose rows are in the database, which itself is not on the disk as a whole yet. */
  readonly #sealed: WriteAheadFile[] = [];
  #rescue: OpenRescue | undefined;

  private constructor(
    options: HistoryWriterOptions,
    { segments, rescue, writeAhead }: { segments: SegmentWriter; rescue: OpenRescue | undefined; writeAhead: WriteAhead },
  ) {
    this.#options = options;
    this.#segments = segments;
    this.#rescue = rescue;
    this.#writeAhead = writeAhead;
    this.#hour = hourOf(options.now());
  }

  /** Opens the folder, made if it is not there, and brings in what an earlier run has left in write-ahead files. Throws StoreError. */
  static async open(options: HistoryWriterOptions): Promise<HistoryWriter> {
    const { folder, logger } = options;
    await mkdir(folder, { recursive: true });
    const segments = await openSound({ ...options, wasUnclean: await markOpened(folder) });
    let rescue: OpenRescue | undefined;
    try {
      rescue = await openRescue(folder, segments.tables, options.now());
      const left = await writeAheadFiles(folder);
      const next = (left.at(-1)?.number ?? 0) + 1;
      const writer = new HistoryWriter(options, { segments, rescue, writeAhead: await WriteAhead.create(folder, next) });
      for (const file of left) {
        const { rows, damagedLines, tornBytes } = await readWriteAhead(file.path);
        if (tornBytes > 0) logger.info(`${file.path}: ${tornBytes} bytes of a line that was cut short were left out`);
        if (damagedLines > 0) logger.warn(`${file.path}: ${damagedLines} damaged lines were left out`, { kept: rows.length });
        writer.#closed.push({ file, rows });
        segments.beside?.count(rows);
      }
      await writer.#sealClosed();
      return writer;
    } catch (error) {
      if (rescue) closeDamaged(rescue.damaged);
      await segments[Symbol.asyncDispose]();
      throw error;
    }
  }

  get tables(): Tables {
    return this.#segments.tables;
  }

  get state(): WriterState {
    return { unsealed: this.#rows.length + this.#closed.reduce((sum, { rows }) => sum + rows.length, 0), refused: this.#segments.refused };
  }

  /** Takes live readings. When it resolves a killed process does not lose them; `sync` makes that hold for a power cut. */
  async append(rows: readonly HistoryRow[]): Promise<void> {
    const sound = this.#segments.sound(rows);
    await this.#writeAhead.append(sound);
    for (const row of sound) this.#rows.push(row);
    this.#segments.beside?.count(sound);
  }

  async sync(): Promise<void> {
    await this.#writeAhead.sync();
  }

  /** Brings finished hours into the database; to be called now and then. A disk that fails loses nothing: the next call tries again. */
  async tick(): Promise<void> {
    const hour = hourOf(this.#options.now());
    if (hour !== this.#hour || this.#rows.length >= rowsPerFile) await this.seal();
    else if (this.#closed.length > 0 || this.#sealed.length > 0) await this.#sealClosed();
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

  /** Does one piece of mending where a database was damaged; false when there is nothing to mend. */
  async mend(): Promise<boolean> {
    if (this.#rescue === undefined) return false;
    const { rescue } = this.#rescue;
    if (rescue.step()) return true;
    const { file, copied, lost } = rescue.state;
    this.#options.logger.info(`History: all that can be read in ${file} is copied`, { blocks: copied, gaps: lost.length });
    await closeRescue(this.#options.folder, this.#rescue);
    this.#rescue = undefined;
    return true;
  }

  /** Makes at most one pack of what lies under it; false when there is nothing to do. */
  pack(): boolean {
    return this.#segments.pack();
  }

  /** Takes rows of any time and order, straight into the database. Throws StoreError. */
  ingest(rows: readonly HistoryRow[]): IngestResult {
    return this.#segments.ingest(rows);
  }

  /** The same event again changes nothing. */
  events(events: readonly HistoryEvent[]): void {
    this.#segments.events(events);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#writeAhead[Symbol.asyncDispose]();
      if (this.#rows.length === 0) await removeWriteAhead(this.#writeAhead.file);
    } finally {
      if (this.#rescue) closeDamaged(this.#rescue.damaged);
      await this.#segments[Symbol.asyncDispose]();
    }
    await markClosed(this.#options.folder);
  }

  async #sealClosed(): Promise<void> {
    const { beside } = this.#segments;
    for (let closed = this.#closed[0]; closed !== undefined; closed = this.#closed[0]) {
      this.#segments.seal(closed.rows, () => beside?.sealed());
      beside?.committed();
      this.#closed.shift();
      this.#sealed.push(closed.file);
    }
    // What was committed may still lie in SQLite's own log alone; these files are the only other copy.
    if (this.#sealed.length === 0 || !this.#segments.checkpoint()) return;
    await writeSpare(this.#options.folder, this.#segments.tables, this.#hour);
    for (let file = this.#sealed[0]; file !== undefined; file = this.#sealed[0]) {
      await removeWriteAhead(file);
      this.#sealed.shift();
    }
  }
}
