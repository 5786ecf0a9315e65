import { mkdir, open, readdir, readFile, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Logger } from "../model/logger.ts";

export interface InfluxQueueOptions {
  readonly folder: string;
  /** Beyond this the oldest points go. */
  readonly maxBytes: number;
  readonly logger: Logger;
  /** A file is sent as one batch; it ends at so many points. Default 5,000. */
  readonly maxFilePoints?: number;
}

/** A file of the queue. */
interface QueueFile {
  readonly path: string;
  points: number;
  bytes: number;
}

/** What is sent at once. */
export interface Batch {
  readonly lines: readonly string[];
  /** They are where they belong: the file goes. */
  done(): Promise<void>;
  /** They are not, and nobody is sending them any more. */
  release(): void;
}

const filePattern = /^points-(\d{9,})\.txt$/;
const fileName = (number: number): string => `points-${String(number).padStart(9, "0")}.txt`;
const longestFileBytes = 1_000_000;
/** Points that wait in memory for the disk; a reading is one to some dozens. */
const maxPending = 50_000;
const reportEveryMs = 3_600_000;

/**
 * Points on the way to a database, in files of their own: `checksum point` a line. Points are handed to the operating
 * system at once, so a killed process loses none. A file that was delivered is deleted; in between nothing has to be
 * written down, since points carry their time and the same one sent twice is one. While the database is there a file
 * lives for seconds and hardly ever reaches the disk itself.
 */
export class InfluxQueue implements AsyncDisposable {
  readonly #options: InfluxQueueOptions;
  /** Oldest first; never the one that is being written. */
  readonly #sealed: QueueFile[];
  #nextNumber: number;
  #open: { readonly file: QueueFile; readonly handle: FileHandle } | undefined;
  readonly #pending: string[] = [];
  /** Points that are being written at this moment. */
  #underWay = 0;
  #isWriting = false;
  #writing: Promise<void> | undefined;
  #sealing = false;
  #sending: QueueFile | undefined;
  #dropped = 0;
  #reportedAt = Number.NEGATIVE_INFINITY;
  #trouble: string | undefined;

  private constructor(options: InfluxQueueOptions, sealed: QueueFile[], nextNumber: number) {
    this.#options = options;
    this.#sealed = sealed;
    this.#nextNumber = nextNumber;
  }

  /** Takes over what an earlier run has left. */
  static async open(options: InfluxQueueOptions): Promise<InfluxQueue> {
    const { folder } = options;
    await mkdir(folder, { recursive: true });
    const numbers = (await readdir(folder))
      .flatMap((name) => filePattern.exec(name)?.[1] ?? [])
      .map(Number)
      .toSorted((one, other) => one - other);
    const files: QueueFile[] = [];
    for (const number of numbers) {
      const path = join(folder, fileName(number));
      const bytes = await readFile(path);
      files.push({ path, bytes: bytes.length, points: bytes.toString("latin1").split("\n").length - 1 });
    }
    return new InfluxQueue(options, files, (numbers.at(-1) ?? 0) + 1);
  }

  /** Points that are on the disk or on their way there. */
  get waiting(): number {
    return this.#pending.length + this.#underWay + this.#files.reduce((sum, { points }) => sum + points, 0);
  }

  /** Lost for want of room since the program started. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Why points cannot be put on the disk; absent while they can. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  get #files(): readonly QueueFile[] {
    return this.#open === undefined ? this.#sealed : [...this.#sealed, this.#open.file];
  }

  /** Takes points; neither waits nor throws. */
  push(points: readonly string[]): void {
    this.#pending.push(...points);
    if (this.#pending.length > maxPending) this.#drop(this.#pending.splice(0, this.#pending.length - maxPending).length);
    this.#start();
  }

  /** Waits until everything that was pushed is in a file, or cannot be. */
  async written(): Promise<void> {
    while (this.#isWriting) await this.#writing;
  }

  /** Ends the file that is being written, so that it can be sent. Tries again what could not be written. */
  async seal(): Promise<void> {
    this.#sealing = true;
    this.#start();
    await this.written();
  }

  /** The oldest points; absent when every file was sent. One batch at a time. */
  async oldest(): Promise<Batch | undefined> {
    const file = this.#sealed[0];
    if (file === undefined) return undefined;
    this.#sending = file;
    const lines = wholeLines(await contentOf(file.path));
    return {
      lines,
      release: () => {
        this.#sending = undefined;
      },
      done: async () => {
        this.#sending = undefined;
        await this.#remove(file);
      },
    };
  }

  get hasSealed(): boolean {
    return this.#sealed.length > 0;
  }

  /** What is left stays on the disk for the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.written();
    const last = this.#open;
    this.#open = undefined;
    await last?.handle.close();
  }

  #start(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#writing = this.#write();
  }

  async #write(): Promise<void> {
    try {
      // Both may be asked for again while a file is being closed.
      while (this.#pending.length > 0 || this.#sealing) {
        if (this.#pending.length > 0) await this.#writeSome();
        else {
          this.#sealing = false;
          await this.#close();
        }
      }
    } catch (error) {
      // The file may end in half a line now: the next one is begun, and what stands in both is the same point twice.
      await this.#abandon();
      this.#report(error);
    } finally {
      this.#sealing = false;
      this.#isWriting = false;
    }
  }

  async #writeSome(): Promise<void> {
    const points = this.#pending.splice(0, this.#room());
    this.#underWay = points.length;
    try {
      await this.#append(points);
      this.#trouble = undefined;
    } catch (error) {
      this.#pending.unshift(...points);
      throw error;
    } finally {
      this.#underWay = 0;
    }
    await this.#makeRoom();
  }

  #room(): number {
    return (this.#options.maxFilePoints ?? 5_000) - (this.#open?.file.points ?? 0);
  }

  async #append(points: readonly string[]): Promise<void> {
    const { folder } = this.#options;
    if (this.#open === undefined) {
      const path = join(folder, fileName(this.#nextNumber));
      this.#open = { file: { path, points: 0, bytes: 0 }, handle: await open(path, "ax") };
      this.#nextNumber++;
    }
    const { file, handle } = this.#open;
    const bytes = Buffer.from(points.map(framed).join(""));
    await handle.appendFile(bytes);
    file.points += points.length;
    this.#underWay = 0;
    file.bytes += bytes.length;
    // What waits for a database that is away should survive a power cut, too.
    if (this.#room() <= 0 || file.bytes >= Math.min(longestFileBytes, this.#options.maxBytes / 4)) {
      await handle.datasync();
      await this.#close();
    }
  }

  async #close(): Promise<void> {
    const closing = this.#open;
    if (closing === undefined) return;
    this.#open = undefined;
    this.#sealed.push(closing.file);
    await closing.handle.close();
  }

  async #abandon(): Promise<void> {
    try {
      await this.#close();
    } catch (error) {
      this.#options.logger.debug("A file of the queue could not be closed", { error: String(error) });
    }
  }

  /** The oldest file goes, but not the one that is being sent. */
  async #makeRoom(): Promise<void> {
    while (this.#files.reduce((sum, { bytes }) => sum + bytes, 0) > this.#options.maxBytes) {
      const oldest = this.#sealed.find((file) => file !== this.#sending);
      if (oldest === undefined) return;
      await this.#remove(oldest);
      this.#drop(oldest.points);
    }
  }

  async #remove(file: QueueFile): Promise<void> {
    const index = this.#sealed.indexOf(file);
    if (index >= 0) this.#sealed.splice(index, 1);
    try {
      await unlink(file.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }

  #drop(points: number): void {
    this.#dropped += points;
    const now = performance.now();
    if (now - this.#reportedAt < reportEveryMs) return;
    this.#reportedAt = now;
    this.#options.logger.error(
      `The queue of points for the database is full: the oldest were dropped, ${this.#dropped} so far. influx.maxQueueMb says how much is kept`,
      { dropped: this.#dropped },
    );
  }

  #report(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (this.#trouble === undefined)
      this.#options.logger.error(`Points for the database cannot be put into the queue and wait in memory: ${message}`, {
        folder: this.#options.folder,
      });
    this.#trouble = message;
  }
}

/** A file that somebody has deleted is an empty one. */
async function contentOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

function framed(point: string): string {
  return `${checksumOf(point)} ${point}\n`;
}

/** A line that is cut off, or not what was written, is left out: a power cut came while it was written. */
function wholeLines(text: string): string[] {
  const end = text.lastIndexOf("\n");
  if (end < 0) return [];
  return text
    .slice(0, end)
    .split("\n")
    .filter((line) => line[8] === " " && checksumOf(line.slice(9)) === line.slice(0, 8))
    .map((line) => line.slice(9));
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
