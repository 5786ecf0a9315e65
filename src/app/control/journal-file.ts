import { mkdir, open, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { SinkError } from "../../model/errors.ts";
import type { Logger } from "../../model/logger.ts";
import { repairTail } from "../../sinks/torn-tail.ts";

/** Where the lines of the journal are kept; a test puts a disk that fails in its place. */
export interface LineStore extends AsyncDisposable {
  /** Resolves when the line is on the disk and would survive a power cut. Rejects with SinkError. */
  append(line: string): Promise<void>;
  /** Every line from the first on. */
  lines(): AsyncIterable<string>;
  /** Every line from the last back. */
  backwards(): AsyncIterable<string>;
}

const CHUNK_BYTES = 65_536;
const LINE_FEED = 10;

/** A file of lines that only grows; lines that are appended at the same time reach the disk together. */
export class JournalFile implements LineStore {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #file: FileHandle;
  /** After an append that failed: the end may be half a line. */
  #isTorn = false;
  #waiting: { readonly line: string; readonly done: (error?: SinkError) => void }[] = [];
  #flushing: Promise<void> | undefined;

  private constructor(path: string, file: FileHandle, logger: Logger) {
    this.#path = path;
    this.#file = file;
    this.#logger = logger;
  }

  static async open(path: string, { logger }: { readonly logger: Logger }): Promise<JournalFile> {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, "a");
    const journal = new JournalFile(path, file, logger);
    try {
      await journal.#repair();
      await syncFolder(dirname(path));
    } catch (error) {
      await file.close();
      throw error;
    }
    return journal;
  }

  async append(line: string): Promise<void> {
    const appended = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ line, done: (error) => (error === undefined ? resolve() : reject(error)) });
    });
    this.#flushing ??= this.#flush().finally(() => (this.#flushing = undefined));
    await appended;
  }

  async *lines(): AsyncGenerator<string> {
    await using file = await open(this.#path, "r");
    for await (const line of file.readLines({ encoding: "utf8", autoClose: false })) yield line;
  }

  async *backwards(): AsyncGenerator<string> {
    await using file = await open(this.#path, "r");
    let end = (await file.stat()).size;
    /** The beginning of what was read, up to and without its first line feed: the end of a line that begins further up. */
    let rest: Buffer = Buffer.alloc(0);
    while (end > 0) {
      const start = Math.max(0, end - CHUNK_BYTES);
      const chunk = Buffer.alloc(end - start);
      await file.read(chunk, 0, chunk.length, start);
      const bytes = Buffer.concat([chunk, rest]);
      let stop = bytes.length;
      for (let at = bytes.lastIndexOf(LINE_FEED, stop - 1); at >= 0 && stop > 0; at = at > 0 ? bytes.lastIndexOf(LINE_FEED, at - 1) : -1) {
        if (at + 1 < stop) yield bytes.toString("utf8", at + 1, stop);
        stop = at;
      }
      rest = bytes.subarray(0, stop);
      end = start;
    }
    if (rest.length > 0) yield rest.toString("utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#flushing;
    await this.#file.close();
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      const error = await this.#write(batch.map(({ line }) => `${line}\n`).join(""));
      for (const { done } of batch) done(error);
    }
  }

  async #write(text: string): Promise<SinkError | undefined> {
    try {
      if (this.#isTorn) await this.#repair();
      this.#isTorn = true;
      await this.#file.appendFile(text);
      await this.#file.datasync();
      this.#isTorn = false;
      return undefined;
    } catch (cause) {
      return new SinkError(`${this.#path}: expected to write the journal of changes, got ${String(cause)}`, { cause });
    }
  }

  async #repair(): Promise<void> {
    const repair = await repairTail(this.#path, isWholeLine);
    this.#isTorn = false;
    if (typeof repair === "object")
      this.#logger.warn(`${this.#path}: its end was torn; ${repair.movedBytes} bytes were moved to ${repair.to}`);
  }
}

/** A file that was just made must be found after a power cut. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function isWholeLine(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
