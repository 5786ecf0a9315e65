import { mkdir, open, readdir, rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../model/logger.ts";
import { compressFile, isMissing, readFirstLine, syncFolder, writeLine } from "./durable-file.ts";
import type { LineFormat, Stamped } from "./line-format.ts";
import { lastLine, repairTail } from "./torn-tail.ts";

/** The file being written, as we left it; anything else found there means that somebody else changed it. */
interface DayFile {
  readonly date: string;
  readonly path: string;
  header: string | undefined;
  size: number;
}

interface FoundFile {
  readonly name: string;
  readonly date: string;
  readonly number: number;
  readonly compressed: boolean;
}

const datePattern = /^(\d{4}-\d{2}-\d{2})(?:-([1-9]\d*))?\.([a-z]+)(\.gz)?$/;

/** Opens a file for appending; a seam, so that tests can stand in a failing disk. */
export type OpenForAppend = (path: string) => Promise<FileHandle>;

export interface DayFolderOptions<Entry extends Stamped> {
  readonly path: string;
  readonly format: LineFormat<Entry>;
  /** Begins sentences of the log. */
  readonly title: string;
  /** A file that would become larger is followed by the day's next one. Unlimited if absent. */
  readonly maxBytes?: number;
  /** Lines may be so long in the system's memory only, which a power cut empties, milliseconds. Default 0: each append waits for the disk. */
  readonly syncMs?: number;
  /** Milliseconds of a clock that is never set. */
  readonly monotonic?: () => number;
  readonly logger: Logger;
  readonly openForAppend?: OpenForAppend;
}

/** What is kept of a folder: the newest files, or those from a day on, `YYYY-MM-DD`. */
export type Keep = { readonly files: number } | { readonly from: string };

/**
 * A folder with one file a day, `<prefix>YYYY-MM-DD.<extension>`; a second `…-2.<extension>` where lines do not fit under
 * the first one's header, or where it is full.
 */
export class DayFolder<Entry extends Stamped> {
  readonly path: string;
  readonly #options: DayFolderOptions<Entry>;
  readonly #format: LineFormat<Entry>;
  readonly #logger: Logger;
  readonly #openForAppend: OpenForAppend;
  readonly #monotonic: () => number;
  #file: DayFile | undefined;
  #prepared = false;
  /** A failed append could not be taken back: some of its lines may be in the file. */
  #uncertain = false;
  /** A file with lines that are not on the disk for certain. */
  #unsynced: string | undefined;
  /** On the monotonic clock. */
  #syncedAt = Number.NEGATIVE_INFINITY;

  constructor(options: DayFolderOptions<Entry>) {
    this.path = options.path;
    this.#options = options;
    this.#format = options.format;
    this.#logger = options.logger;
    this.#monotonic = options.monotonic ?? (() => performance.now());
    this.#openForAppend = options.openForAppend ?? ((path) => open(path, "a"));
  }

  /** The file of the latest line; before the first line, the first file of the given day. */
  filePath(date: string): string {
    return this.#file?.path ?? join(this.path, this.#name(date, 1));
  }

  /** Makes the folder and mends what a power cut has left at the end of the newest files. `today`: `YYYY-MM-DD`. */
  async prepare(today: string): Promise<void> {
    await mkdir(this.path, { recursive: true });
    const files = (await this.#list()).filter((file) => !file.compressed);
    const newest = files.reduce((latest, { date }) => (date > latest ? date : latest), "");
    for (const file of files) {
      const path = join(this.path, file.name);
      // Another program's older file is not ours to mend; today's we are about to continue.
      if (file.date === today || (file.date === newest && (await this.#isOurs(path)))) await this.#repair(path);
    }
    this.#prepared = true;
  }

  /**
   * Appends entries of one day, a write call a line, and waits until they are on the disk, if `syncMs` does not say otherwise.
   * Returns how many, at least one; the rest belongs under another header. After an error all of them are to be handed in again.
   */
  async append(entries: readonly Entry[], today: string): Promise<number> {
    try {
      if (!this.#prepared) await this.prepare(today);
      return await this.#append(entries);
    } catch (error) {
      // The folder itself may be gone.
      this.#prepared = false;
      throw error;
    }
  }

  async #append(entries: readonly Entry[]): Promise<number> {
    const first = entries[0];
    if (first === undefined) return 0;
    const file = await this.#fileFor(first);
    await using handle = await this.#openForAppend(file.path);
    if ((await handle.stat()).size !== file.size) {
      // Deleted, moved or changed by somebody else: look at it anew.
      this.#file = undefined;
      return await this.#append(entries);
    }
    const isNew = file.size === 0;
    const header = file.header ?? this.#format.header(first);
    let size = file.size;
    let count = 0;
    try {
      if (isNew && header !== "") size += await writeLine(handle, header);
      if (this.#uncertain) count = await this.#alreadyThere(file.path, header, entries);
      for (const entry of entries.slice(count)) {
        if (!this.#format.fits(header, entry)) break;
        const line = this.#format.line(header, entry);
        if (count > 0 && this.#isFull(size, line)) break;
        size += await writeLine(handle, line);
        count++;
      }
      await this.#syncIfDue(handle, file.path);
      if (isNew) await syncFolder(this.path);
    } catch (error) {
      await this.#takeBack(handle, file);
      throw error;
    }
    file.header = header;
    file.size = size;
    this.#uncertain = false;
    return count;
  }

  /** Whether there are lines that a power cut could take, and it is time to have them on the disk. */
  get isSyncDue(): boolean {
    return this.#unsynced !== undefined && this.#monotonic() - this.#syncedAt >= (this.#options.syncMs ?? 0);
  }

  /** Waits until every line is on the disk. */
  async sync(): Promise<void> {
    if (this.#unsynced === undefined) return;
    try {
      await using handle = await open(this.#unsynced, "r");
      await this.#sync(handle);
    } catch (error) {
      if (!isMissing(error)) throw error;
      // Deleted by somebody else, and its lines with it.
      this.#unsynced = undefined;
    }
  }

  /** The uncompressed files of ours, oldest first. */
  async files(): Promise<string[]> {
    const paths: string[] = [];
    for (const { name, compressed } of await this.#list()) {
      const path = join(this.path, name);
      if (!compressed && (await this.#isOurs(path))) paths.push(path);
    }
    return paths;
  }

  /** Compresses every file of ours that is closed to `.gz`, each replaced only once its successor is on the disk. */
  async compressClosed(today: string, options: { readonly signal: AbortSignal }): Promise<void> {
    const found = await this.#list();
    for (const file of found) {
      options.signal.throwIfAborted();
      const path = join(this.path, file.name);
      if (file.compressed || !this.#isClosed(file, found, today) || !(await this.#isOurs(path))) continue;
      if (this.#file?.path === path) this.#file = undefined;
      if (!(await compressFile(path, options))) {
        this.#logger.warn(`${path}.gz exists already with other lines; ${path} stays as it is`);
      }
    }
  }

  /** Deletes files of ours that are not to be kept, compressed or not; never the one that is written. */
  async prune(keep: Keep, today: string, options: { readonly signal: AbortSignal }): Promise<void> {
    const found = await this.#list();
    const ours: FoundFile[] = [];
    for (const file of found) if (await this.#isOurs(join(this.path, file.name))) ours.push(file);
    const old = "files" in keep ? ours.slice(0, Math.max(0, ours.length - keep.files)) : ours.filter(({ date }) => date < keep.from);
    for (const file of old) {
      options.signal.throwIfAborted();
      const path = join(this.path, file.name);
      if (path === this.#file?.path || !this.#isClosed(file, found, today)) continue;
      await rm(path);
      this.#logger.info(`${path} is older than what is kept and was deleted`);
    }
  }

  /** Whether nothing is written into the file any more: its day is over, or it is full and has a successor. */
  #isClosed({ date, number }: FoundFile, all: readonly FoundFile[], today: string): boolean {
    if (date < today) return true;
    return this.#options.maxBytes !== undefined && all.some((other) => other.date === date && other.number > number);
  }

  async #isOurs(path: string): Promise<boolean> {
    return this.#format.isFirstLine(await readFirstLine(path));
  }

  #isFull(size: number, line: string): boolean {
    return size > 0 && size + line.length + 1 > (this.#options.maxBytes ?? Number.POSITIVE_INFINITY);
  }

  async #syncIfDue(handle: FileHandle, path: string): Promise<void> {
    // The lines before a change of file would otherwise be forgotten.
    if (this.#unsynced !== undefined && this.#unsynced !== path) await this.sync();
    this.#unsynced = path;
    if (this.isSyncDue) await this.#sync(handle);
  }

  async #sync(handle: FileHandle): Promise<void> {
    await handle.datasync();
    this.#unsynced = undefined;
    this.#syncedAt = this.#monotonic();
  }

  /** The day's file under whose header the entry fits: the highest-numbered one that exists, else a new one. */
  async #fileFor(entry: Entry): Promise<DayFile> {
    const { date } = entry.stamp;
    const current = this.#file;
    if (current?.date === date && this.#hasRoom(current, entry)) return current;

    const sameDay = (await this.#list()).filter((file) => file.date === date).toSorted((a, b) => b.number - a.number);
    let before: string | undefined;
    for (const { name, compressed } of sameDay) {
      // A day that is compressed already is closed: a late line starts a further file.
      if (compressed || sameDay.some((file) => file.name === `${name}.gz`)) continue;
      const path = join(this.path, name);
      await this.#repair(path);
      const header = await readFirstLine(path);
      const { size } = await stat(path);
      const found = { date, path, header: size === 0 ? undefined : header, size };
      if (this.#hasRoom(found, entry)) return this.#use(found);
      before ??= header;
      // The files before a full one are full as well.
      if (this.#format.fits(header, entry)) break;
    }
    const number = (sameDay[0]?.number ?? 0) + 1;
    const path = join(this.path, this.#name(date, number));
    const isFull = before !== undefined && this.#format.fits(before, entry);
    const why = isFull ? "the day's earlier file is full" : "its lines do not fit under the header of the day's earlier file";
    if (number > 1) this.#logger.info(`${this.#options.title} goes on in ${path}: ${why}`);
    return this.#use({ date, path, header: before === undefined ? undefined : this.#format.header(entry, before), size: 0 });
  }

  #hasRoom({ header, size }: DayFile, entry: Entry): boolean {
    if (header !== undefined && !this.#format.fits(header, entry)) return false;
    return this.#options.maxBytes === undefined || !this.#isFull(size, this.#format.line(header ?? this.#format.header(entry), entry));
  }

  #use(file: DayFile): DayFile {
    this.#file = file;
    return file;
  }

  async #repair(path: string): Promise<void> {
    const repair = await repairTail(path, (line, previous) => this.#format.isWhole(line, previous));
    if (repair === "completed") this.#logger.info(`The last line of ${path} lacked its end, which was added`);
    else if (repair !== "whole")
      this.#logger.warn(`${path} ended in a torn line; its ${repair.movedBytes} bytes were moved to ${repair.to}`);
  }

  /** How many of the entries a failed append has left in the file. */
  async #alreadyThere(path: string, header: string, entries: readonly Entry[]): Promise<number> {
    const last = await lastLine(path);
    return entries.findLastIndex((entry) => this.#format.line(header, entry) === last) + 1;
  }

  /** Cuts the file back to where it was before a failed append, so that the next try can neither double nor join lines. */
  async #takeBack(handle: FileHandle, file: DayFile): Promise<void> {
    try {
      await handle.truncate(file.size);
    } catch (error) {
      this.#file = undefined;
      this.#uncertain = true;
      this.#logger.debug(`${file.path} could not be cut back to ${file.size} bytes`, { error: String(error) });
    }
  }

  #name(date: string, number: number): string {
    return `${this.#format.prefix}${date}${number === 1 ? "" : `-${number}`}.${this.#format.extension}`;
  }

  async #list(): Promise<FoundFile[]> {
    const found: FoundFile[] = [];
    for (const name of await readdir(this.path)) {
      if (!name.startsWith(this.#format.prefix)) continue;
      const match = datePattern.exec(name.slice(this.#format.prefix.length));
      if (match?.[1] === undefined || match[3] !== this.#format.extension) continue;
      found.push({ name, date: match[1], number: Number(match[2] ?? 1), compressed: match[4] !== undefined });
    }
    return found.sort((a, b) => (a.date === b.date ? a.number - b.number : a.date < b.date ? -1 : 1));
  }
}
