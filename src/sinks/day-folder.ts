import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import type { Logger } from "../model/logger.ts";
import type { LogEntry, LogFormat } from "./log-format.ts";
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

const namePattern = /^Axpert(\d{4}-\d{2}-\d{2})(?:-([1-9]\d*))?\.(log|csv)(\.gz)?$/;
const headerBytes = 16_384;

/** Opens a file for appending; a seam, so that tests can stand in a failing disk. */
export type OpenForAppend = (path: string) => Promise<FileHandle>;

/** A folder with one file a day, `AxpertYYYY-MM-DD.log`; a second `…-2.log` where lines do not fit under the first one's header. */
export class DayFolder {
  readonly path: string;
  readonly #format: LogFormat;
  readonly #logger: Logger;
  readonly #openForAppend: OpenForAppend;
  #file: DayFile | undefined;
  #prepared = false;
  /** A failed append could not be taken back: some of its lines may be in the file. */
  #uncertain = false;

  constructor(options: { path: string; format: LogFormat; logger: Logger; openForAppend?: OpenForAppend }) {
    this.path = options.path;
    this.#format = options.format;
    this.#logger = options.logger;
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
      if (file.date === today || (file.date === newest && this.#format.isHeader(await readHeader(path)))) await this.#repair(path);
    }
    this.#prepared = true;
  }

  /**
   * Appends entries of one day, a write call a line, and waits until they are on the disk.
   * Returns how many, at least one; the rest belongs under another header. After an error all of them are to be handed in again.
   */
  async append(entries: readonly LogEntry[], today: string): Promise<number> {
    try {
      if (!this.#prepared) await this.prepare(today);
      return await this.#append(entries);
    } catch (error) {
      // The folder itself may be gone.
      this.#prepared = false;
      throw error;
    }
  }

  async #append(entries: readonly LogEntry[]): Promise<number> {
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
      if (isNew) size += await writeWhole(handle, header);
      if (this.#uncertain) count = await this.#alreadyThere(file.path, header, entries);
      for (const entry of entries.slice(count)) {
        if (!this.#format.fits(header, entry)) break;
        size += await writeWhole(handle, this.#format.line(header, entry));
        count++;
      }
      await handle.datasync();
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

  /** Compresses every file of ours of a day before `today` to `.gz`, each replaced only once its successor is on the disk. */
  async compressBefore(today: string, options: { readonly signal: AbortSignal }): Promise<void> {
    for (const { name, date, compressed } of await this.#list()) {
      options.signal.throwIfAborted();
      const path = join(this.path, name);
      if (compressed || date >= today || !this.#format.isHeader(await readHeader(path))) continue;
      if (this.#file?.path === path) this.#file = undefined;
      await this.#compress(path, options.signal);
    }
  }

  async #compress(path: string, signal: AbortSignal): Promise<void> {
    const target = `${path}.gz`;
    const before = await stat(path);
    if (await exists(target)) {
      if (!(await sameContent(path, target, signal))) {
        this.#logger.warn(`${target} exists already with other lines; ${path} stays as it is`);
        return;
      }
    } else {
      const unfinished = `${target}.tmp`;
      try {
        await pipeline(createReadStream(path), createGzip(), createWriteStream(unfinished, { flush: true }), { signal });
        if ((await stat(path)).size !== before.size) return;
        await rename(unfinished, target);
        await syncFolder(this.path);
      } finally {
        await rm(unfinished, { force: true });
      }
    }
    await rm(path);
  }

  /** The day's file under whose header the entry fits: the highest-numbered one that exists, else a new one. */
  async #fileFor(entry: LogEntry): Promise<DayFile> {
    const { date } = entry.stamp;
    if (this.#file?.date === date && (this.#file.header === undefined || this.#format.fits(this.#file.header, entry))) return this.#file;

    const sameDay = (await this.#list()).filter((file) => file.date === date).toSorted((a, b) => b.number - a.number);
    let before: string | undefined;
    for (const { name, compressed } of sameDay) {
      // A day that is compressed already is closed: a late line starts a further file.
      if (compressed || sameDay.some((file) => file.name === `${name}.gz`)) continue;
      const path = join(this.path, name);
      await this.#repair(path);
      const header = await readHeader(path);
      const { size } = await stat(path);
      if (size === 0 || this.#format.fits(header, entry)) return this.#use({ date, path, header: size === 0 ? undefined : header, size });
      before ??= header;
    }
    const number = (sameDay[0]?.number ?? 0) + 1;
    const path = join(this.path, this.#name(date, number));
    if (number > 1) this.#logger.info(`The text log goes on in ${path}: its lines do not fit under the header of the day's earlier file`);
    return this.#use({ date, path, header: before === undefined ? undefined : this.#format.header(entry, before), size: 0 });
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
  async #alreadyThere(path: string, header: string, entries: readonly LogEntry[]): Promise<number> {
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
    return `Axpert${date}${number === 1 ? "" : `-${number}`}.${this.#format.extension}`;
  }

  async #list(): Promise<FoundFile[]> {
    const found: FoundFile[] = [];
    for (const name of await readdir(this.path)) {
      const match = namePattern.exec(name);
      if (match?.[1] === undefined || match[3] !== this.#format.extension) continue;
      found.push({ name, date: match[1], number: Number(match[2] ?? 1), compressed: match[4] !== undefined });
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

/** One write call; a short one, as on a full disk, is an error. */
async function writeWhole(handle: FileHandle, line: string): Promise<number> {
  const bytes = Buffer.from(`${line}\n`, "latin1");
  const { bytesWritten } = await handle.write(bytes);
  if (bytesWritten !== bytes.length) {
    throw Object.assign(new Error(`expected ${bytes.length} bytes to be written, got ${bytesWritten}`), { code: "ENOSPC" });
  }
  return bytes.length;
}

/** The first line, or what there is of it. */
async function readHeader(path: string): Promise<string> {
  await using handle = await open(path, "r");
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(headerBytes), 0, headerBytes, 0);
  return buffer.toString("latin1", 0, bytesRead).split("\n", 1)[0] ?? "";
}

/** Makes a new name itself survive a power cut. */
async function syncFolder(path: string): Promise<void> {
  await using handle = await open(path, "r");
  await handle.sync();
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}

async function sameContent(path: string, compressedPath: string, signal: AbortSignal): Promise<boolean> {
  const hashOf = async (compressed: boolean): Promise<string> => {
    const hash = createHash("sha256");
    const source = createReadStream(compressed ? compressedPath : path);
    await (compressed ? pipeline(source, createGunzip(), hash, { signal }) : pipeline(source, hash, { signal }));
    return hash.digest("hex");
  };
  return (await hashOf(false)) === (await hashOf(true));
}
