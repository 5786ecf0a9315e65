import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SinkError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import type { InverterInfo, LinkStatus, Reading, Sink } from "../model/reading.ts";
import { DayFolder } from "./day-folder.ts";
import type { OpenForAppend } from "./day-folder.ts";
import { LocalTime } from "../model/local-time.ts";
import { CsvFormat, ClassicFormat } from "./log-format.ts";
import type { LogColumn, LogEntry, LogFormat } from "./log-format.ts";

export interface TextLogOptions {
  readonly folder: string;
  /** `classic`: the raw payload under a header, as the older script wrote it; `csv`: one named column a metric. Default `classic`. */
  readonly format?: "classic" | "csv";
  /** Milliseconds between two lines, counted from start to start; 0 writes every reading. Default 30,000. */
  readonly intervalMs?: number;
  /** IANA name; default the computer's. */
  readonly timeZone?: string;
  /** Compresses the files of past days. Default false. */
  readonly compress?: boolean;
  /** The command whose readings are written. Default `QPIGS`. */
  readonly command?: string;
  /** Names the payload's fields, in order, for the header of the `classic` format. */
  readonly columnsOf: (fieldCount: number) => readonly LogColumn[];
  /** Id of the inverter that has the folder itself; others have a subfolder named like their id. By default the first one seen. */
  readonly mainInverter?: () => string | undefined;
  /** How many lines wait in memory while the disk fails; the oldest is dropped first. Default 5,000. */
  readonly bufferLines?: number;
  /** First pause before a failed write is tried again, milliseconds; it doubles up to 30 times this. Default 1,000. */
  readonly retryMs?: number;
  readonly logger: Logger;
  /** UTC epoch milliseconds. */
  readonly now?: () => number;
  readonly openForAppend?: OpenForAppend;
}

/** Counters since the start, and what is wrong at the moment. */
export interface TextLogHealth {
  readonly linesWritten: number;
  readonly linesWaiting: number;
  readonly linesDropped: number;
  /** In plain words; absent while all is well. */
  readonly trouble?: string;
}

interface Waiting {
  readonly log: InverterLog;
  readonly entry: LogEntry;
}

/** One inverter's file and its cadence. */
interface InverterLog {
  readonly files: DayFolder;
  dueAt: number;
  lastAt: number;
  readonly recent: Set<number>;
}

const recentReadings = 64;
const linesPerBatch = 256;
const closeWithinMs = 1_000;
const slowDiskMs = 30_000;

/** Writes one line per interval and inverter into a file a day. Never delays the caller: lines wait in memory for the disk. */
export class TextLog implements Sink, AsyncDisposable {
  readonly name = "text log";
  readonly #options: TextLogOptions;
  readonly #intervalMs: number;
  readonly #command: string;
  readonly #clock: LocalTime;
  readonly #format: LogFormat;
  readonly #logs = new Map<string, InverterLog>();
  readonly #stop = new AbortController();
  #first: DayFolder | undefined;
  #queue: Waiting[] = [];
  /** Lines out of the queue that are being written. */
  #inFlight = 0;
  /** On the monotonic clock. */
  #inFlightSince = 0;
  #writing: Promise<void> | undefined;
  #isWriting = false;
  #written = 0;
  #dropped = 0;
  #droppedBefore = 0;
  #trouble: string | undefined;
  #compressedOn = "";

  private constructor(options: TextLogOptions, clock: LocalTime) {
    this.#options = options;
    this.#intervalMs = options.intervalMs ?? 30_000;
    this.#command = options.command ?? "QPIGS";
    this.#clock = clock;
    this.#format = options.format === "csv" ? new CsvFormat() : new ClassicFormat(options.columnsOf);
  }

  /** Mends what a power cut has left. A disk that cannot be written is reported, not thrown: it may come back. */
  static async open(options: TextLogOptions): Promise<TextLog> {
    const log = new TextLog(options, LocalTime.of(options.timeZone));
    const files = log.#folder("");
    log.#first = files;
    try {
      await files.prepare(log.#today());
    } catch (error) {
      log.#report(error);
    }
    log.#startWriting();
    return log;
  }

  /** The file that is written at the moment, of the inverter that logs into the folder itself. */
  get currentFile(): string {
    return (this.#first ?? this.#folder("")).filePath(this.#today());
  }

  get health(): TextLogHealth {
    const counters = { linesWritten: this.#written, linesWaiting: this.#linesWaiting, linesDropped: this.#dropped };
    return this.#trouble === undefined ? counters : { ...counters, trouble: this.#trouble };
  }

  get #linesWaiting(): number {
    return this.#queue.length + this.#inFlight;
  }

  reading(reading: Reading, inverter: InverterInfo): void {
    if (reading.command !== this.#command || this.#stop.signal.aborted) return;
    const log = this.#logOf(reading.inverter);
    if (!this.#isDue(log, reading.at)) return;
    this.#queue.push({ log, entry: { reading, simulated: inverter.simulated, stamp: this.#clock.stamp(reading.at) } });
    this.#dropOldest();
    this.#startWriting();
    if (this.#inFlight > 0 && performance.now() - this.#inFlightSince > slowDiskMs) {
      this.#report(new Error("the disk has not answered for half a minute"));
    }
  }

  status(_status: LinkStatus, _inverter: InverterInfo): void {
    // A silent inverter shows as missing lines.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    if (this.#queue.length > 0) this.#startWriting();
    const deadline = new AbortController();
    await Promise.race([this.#writing, delay(closeWithinMs, undefined, { signal: deadline.signal }).catch(() => undefined)]);
    deadline.abort();
    if (this.#linesWaiting > 0) {
      this.#options.logger.error(`${this.#linesWaiting} lines of the text log could not be written before the end`);
    }
  }

  #isDue(log: InverterLog, at: number): boolean {
    if (log.recent.has(at)) return false;
    const clockWentBack = at < log.lastAt;
    // A poll that comes a little early belongs to this interval: waiting for the next would leave a gap.
    const toleranceMs = Math.min(this.#intervalMs / 10, 1_000);
    if (!clockWentBack && at < log.dueAt - toleranceMs) return false;
    const isLate = at - log.dueAt > this.#intervalMs;
    log.dueAt = clockWentBack || isLate || log.dueAt === 0 ? at + this.#intervalMs : log.dueAt + this.#intervalMs;
    log.lastAt = at;
    log.recent.add(at);
    const [oldest] = log.recent;
    if (oldest !== undefined && log.recent.size > recentReadings) log.recent.delete(oldest);
    return true;
  }

  #logOf(inverter: string): InverterLog {
    let log = this.#logs.get(inverter);
    if (log === undefined) {
      const { mainInverter } = this.#options;
      const isMain = mainInverter === undefined ? this.#logs.size === 0 : mainInverter() === inverter;
      const files = isMain && this.#first !== undefined ? this.#first : this.#folder(isMain ? "" : inverter);
      log = { files, dueAt: 0, lastAt: 0, recent: new Set() };
      this.#logs.set(inverter, log);
    }
    return log;
  }

  #folder(subfolder: string): DayFolder {
    const { folder, logger, openForAppend } = this.#options;
    const path = join(folder, subfolder);
    return new DayFolder({ path, format: this.#format, logger, ...(openForAppend === undefined ? {} : { openForAppend }) });
  }

  #today(): string {
    return this.#clock.stamp((this.#options.now ?? Date.now)()).date;
  }

  #dropOldest(): void {
    const excess = this.#queue.length - (this.#options.bufferLines ?? 5_000);
    if (excess <= 0) return;
    this.#queue.splice(0, excess);
    if (this.#dropped === this.#droppedBefore) {
      this.#options.logger.error("The text log's buffer is full: its oldest lines are being lost until the disk can be written again");
    }
    this.#dropped += excess;
  }

  #startWriting(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#writing = this.#write();
  }

  /** Empties the queue; tries again after a failure, ever more rarely. Never rejects. */
  async #write(): Promise<void> {
    const retryMs = this.#options.retryMs ?? 1_000;
    let pauseMs = retryMs;
    let isLastTry = false;
    while (this.#queue.length > 0 || this.#isCompressionDue()) {
      try {
        if (this.#queue.length > 0) await this.#writeBatch();
        else await this.#compress();
        pauseMs = retryMs;
      } catch (error) {
        this.#report(error);
        if (isLastTry) break;
        try {
          await delay(pauseMs, undefined, { signal: this.#stop.signal, ref: false });
        } catch {
          // Closing: one more try, then the end.
          isLastTry = true;
        }
        pauseMs = Math.min(pauseMs * 2, retryMs * 30);
      }
    }
    // In the same step as the look at the queue: a line that comes now starts a new run.
    this.#isWriting = false;
  }

  async #writeBatch(): Promise<void> {
    const first = this.#queue[0];
    if (first === undefined) return;
    const belongs = ({ log, entry }: Waiting): boolean => log.files === first.log.files && entry.stamp.date === first.entry.stamp.date;
    let length = 1;
    for (let next = this.#queue[1]; next !== undefined && belongs(next) && length < linesPerBatch; next = this.#queue[length]) length++;
    // Out of the queue while it is written, so that a full buffer drops none of it.
    const batch = this.#queue.splice(0, length);
    this.#inFlight = length;
    this.#inFlightSince = performance.now();
    let done = 0;
    try {
      done = await first.log.files.append(
        batch.map(({ entry }) => entry),
        this.#today(),
      );
    } finally {
      this.#written += done;
      this.#inFlight = 0;
      this.#queue = [...batch.slice(done), ...this.#queue];
      this.#dropOldest();
    }
    if (this.#trouble !== undefined) {
      const lost = this.#dropped - this.#droppedBefore;
      this.#options.logger.info(`The text log can be written again${lost === 0 ? "; no line was lost" : `; ${lost} lines were lost`}`);
      this.#trouble = undefined;
      this.#droppedBefore = this.#dropped;
    }
  }

  #isCompressionDue(): boolean {
    return this.#options.compress === true && !this.#stop.signal.aborted && this.#compressedOn !== this.#today();
  }

  async #compress(): Promise<void> {
    const today = this.#today();
    // Whatever happens, not again before tomorrow or the next start.
    this.#compressedOn = today;
    const folders = new Set([...this.#logs.values()].map(({ files }) => files));
    if (this.#first !== undefined) folders.add(this.#first);
    for (const files of folders) {
      try {
        await files.compressBefore(today, { signal: this.#stop.signal });
      } catch (error) {
        if (!this.#stop.signal.aborted)
          this.#options.logger.warn(`Old text logs in ${files.path} could not be compressed: ${String(error)}`);
      }
    }
  }

  #report(error: unknown): void {
    const { folder, logger } = this.#options;
    const failure = new SinkError(`The text log in ${folder} cannot be written: ${describe(error)}`, { cause: error, context: { folder } });
    if (this.#trouble === undefined) {
      logger.error(`${failure.message}. Lines are kept in memory and written when it works again`, { code: failure.code });
    }
    this.#trouble = failure.message;
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the disk is read-only",
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EIO: "the disk reports an error",
  ENOTDIR: "a part of the path is not a folder",
  ENOENT: "the folder is missing",
  EISDIR: "a folder has the file's name",
  EMFILE: "too many files are open",
};

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const reason = "code" in error && typeof error.code === "string" ? reasons[error.code] : undefined;
  return reason === undefined ? error.message : `${reason} (${error.message})`;
}
