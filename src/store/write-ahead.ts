import { open, readdir, readFile, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { rowFlags, type HistoryRow, type RowFlag } from "../model/history.ts";
import type { Origin, Value } from "../model/reading.ts";
import { checksumOf } from "./crc32.ts";

/*
 * The readings that are not in the database yet: text, a line each, `checksum JSON`. The line of a stream comes before
 * its first row and says what the row's values are called:
 *   ["s", number, inverter, command, [names], {name: origin}]
 *   ["r", number, at, payload or null, [values, null where absent], [flags]?]
 */

/** Where the files are and what they are called; numbers grow, also over a restart. */
const filePattern = /^wal-(\d{6,})\.ndjson$/;
const fileName = (number: number): string => `wal-${String(number).padStart(6, "0")}.ndjson`;

type StreamLine = readonly ["s", number, string, string, readonly string[], Readonly<Record<string, Exclude<Origin, "measured">>>];
type RowLine = readonly ["r", number, number, string | null, readonly (Value | null)[], (readonly RowFlag[])?];

/** A write-ahead file as found on the disk. */
export interface WriteAheadFile {
  readonly number: number;
  readonly path: string;
}

export interface WriteAheadContent {
  readonly rows: readonly HistoryRow[];
  /** Bytes behind the last whole line: a power cut came while it was written. */
  readonly tornBytes: number;
  /** Lines that are not as they were written, the torn last one apart. */
  readonly damagedLines: number;
}

/** Every write-ahead file of the folder, oldest first. */
export async function writeAheadFiles(folder: string): Promise<WriteAheadFile[]> {
  const found: WriteAheadFile[] = [];
  for (const name of await readdir(folder)) {
    const number = filePattern.exec(name)?.[1];
    if (number !== undefined) found.push({ number: Number(number), path: join(folder, name) });
  }
  return found.toSorted((a, b) => a.number - b.number);
}

/** Reads lines as they come in; a file may grow between two calls. */
export class WriteAheadReader {
  readonly #streams = new Map<number, StreamLine>();
  damagedLines = 0;

  /** The rows of whole lines. */
  read(lines: readonly string[]): HistoryRow[] {
    const found: RowLine[] = [];
    for (const line of lines) {
      const parsed = parseLine(line);
      if (parsed === undefined) this.damagedLines++;
      else if (parsed[0] === "s") this.#streams.set(parsed[1], parsed);
      else found.push(parsed);
    }
    const rows: HistoryRow[] = [];
    for (const row of found) {
      // The first line of its stream may be damaged and a later one not: a number means the same in the whole file.
      const stream = this.#streams.get(row[1]);
      if (stream === undefined) this.damagedLines++;
      else rows.push(rowOf(stream, row));
    }
    return rows;
  }
}

/** Reads a whole file. The last line counts only if it is whole. */
export async function readWriteAhead(path: string): Promise<WriteAheadContent> {
  const bytes = await readFile(path);
  const end = bytes.lastIndexOf(0x0a);
  const reader = new WriteAheadReader();
  const rows = end < 0 ? [] : reader.read(bytes.toString("utf8", 0, end).split("\n"));
  return { rows, tornBytes: bytes.length - end - 1, damagedLines: reader.damagedLines };
}

function parseLine(line: string): StreamLine | RowLine | undefined {
  const text = line.slice(9);
  if (line[8] !== " " || checksumOf(text) !== line.slice(0, 8)) return undefined;
  // The checksum says that we wrote it.
  return JSON.parse(text) as StreamLine | RowLine;
}

function rowOf([, , inverter, command, names, origins]: StreamLine, [, , at, payload, values, flags]: RowLine): HistoryRow {
  const present: Record<string, Value> = {};
  const estimates: Record<string, Exclude<Origin, "measured">> = {};
  for (const [index, name] of names.entries()) {
    const value = values[index];
    if (value === undefined || value === null) continue;
    present[name] = value;
    const origin = origins[name];
    if (origin !== undefined) estimates[name] = origin;
  }
  return {
    inverter,
    at,
    command,
    values: present,
    ...(payload !== null && { payload }),
    ...(Object.keys(estimates).length > 0 && { origins: estimates }),
    ...(flags !== undefined && flags.length > 0 && { flags: flags.filter((flag) => rowFlags.includes(flag)) }),
  };
}

interface OpenStream {
  readonly number: number;
  readonly names: readonly string[];
  readonly known: ReadonlySet<string>;
  /** The origins as text, to see a change. */
  readonly origins: string;
  /** Its line, and the size of the file when that was written. */
  readonly line: string;
  writtenAt: number;
}

/** A stream's line comes again after so many bytes: a damaged page then takes its own rows and no others with it. */
const repeatBytes = 1 << 16;

/** The file that is being written. */
export class WriteAhead implements AsyncDisposable {
  readonly file: WriteAheadFile;
  readonly #handle: FileHandle;
  readonly #streams = new Map<string, OpenStream>();
  #lastStream = 0;
  #unsynced = false;
  /** Bytes of whole lines. */
  #size = 0;
  #isTorn = false;

  private constructor(file: WriteAheadFile, handle: FileHandle) {
    this.file = file;
    this.#handle = handle;
  }

  static async create(folder: string, number: number): Promise<WriteAhead> {
    const file = { number, path: join(folder, fileName(number)) };
    const handle = await open(file.path, "ax");
    try {
      await syncFolder(folder);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return new WriteAhead(file, handle);
  }

  /** Hands the rows to the operating system: a killed process does not lose them. */
  async append(rows: readonly HistoryRow[]): Promise<void> {
    let text = "";
    for (const row of rows) text += this.#linesOf(row);
    if (text === "") return;
    const bytes = Buffer.from(text);
    try {
      // A full disk can take the first half of a line: the next one would grow onto it.
      if (this.#isTorn) await this.#takeBack();
      this.#unsynced = true;
      await this.#handle.appendFile(bytes);
    } catch (error) {
      this.#isTorn = true;
      this.#streams.clear();
      throw error;
    }
    this.#size += bytes.length;
  }

  async #takeBack(): Promise<void> {
    await this.#handle.truncate(this.#size);
    this.#isTorn = false;
  }

  /** Puts them on the disk: a power cut does not lose them either. */
  async sync(): Promise<void> {
    if (!this.#unsynced) return;
    this.#unsynced = false;
    try {
      await this.#handle.datasync();
    } catch (error) {
      this.#unsynced = true;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.sync();
    } finally {
      await this.#handle.close();
    }
  }

  #linesOf(row: HistoryRow): string {
    const stream = this.#streamOf(row);
    const values = stream.open.names.map((name) => row.values[name] ?? null);
    const line: unknown[] = ["r", stream.open.number, row.at, row.payload ?? null, values];
    if (row.flags !== undefined && row.flags.length > 0) line.push(row.flags);
    return stream.line + framed(line);
  }

  #streamOf(row: HistoryRow): { readonly open: OpenStream; readonly line: string } {
    const key = `${row.inverter} ${row.command}`;
    const origins = row.origins === undefined ? "{}" : JSON.stringify(row.origins);
    const known = this.#streams.get(key);
    const names = Object.keys(row.values);
    if (known !== undefined && known.origins === origins && names.every((name) => known.known.has(name))) {
      if (this.#size - known.writtenAt < repeatBytes) return { open: known, line: "" };
      known.writtenAt = this.#size;
      return { open: known, line: known.line };
    }
    const all = [...new Set([...(known?.names ?? []), ...names])];
    const number = ++this.#lastStream;
    const line = framed(["s", number, row.inverter, row.command, all, row.origins ?? {}]);
    const open: OpenStream = { number, names: all, known: new Set(all), origins, line, writtenAt: this.#size };
    this.#streams.set(key, open);
    return { open, line };
  }
}

/** A new file's name is on the disk only when its folder is. Some systems cannot do that, and do it by themselves. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function framed(line: readonly unknown[]): string {
  const text = JSON.stringify(line);
  return `${checksumOf(text)} ${text}\n`;
}

/** Deletes a file whose rows are in the database; one that is gone already is as good. */
export async function removeWriteAhead({ path }: WriteAheadFile): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
