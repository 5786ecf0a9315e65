import { join } from "node:path";
import type { Logger } from "../model/logger.ts";
import type { InverterInfo, LinkStatus, Reading, Sink } from "../model/reading.ts";
import { DayFolder } from "./day-folder.ts";
import type { OpenForAppend } from "./day-folder.ts";
import { LocalTime } from "../model/local-time.ts";
import { CsvFormat, ClassicFormat } from "./log-format.ts";
import type { LogColumn, LogEntry, LogFormat } from "./log-format.ts";
import { WriteQueue } from "./write-queue.ts";
import type { WriteQueueHealth } from "./write-queue.ts";

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

interface Waiting {
  readonly log: InverterLog;
  readonly entry: LogEntry;
}

/** One inverter's file and its cadence. */
interface InverterLog {
  readonly files: DayFolder<LogEntry>;
  dueAt: number;
  lastAt: number;
  readonly recent: Set<number>;
}

const recentReadings = 64;

/** Writes one line per interval and inverter into a file a day. Never delays the caller: lines wait in memory for the disk. */
export class TextLog implements Sink, AsyncDisposable {
  readonly name = "text log";
  readonly #options: TextLogOptions;
  readonly #intervalMs: number;
  readonly #command: string;
  readonly #clock: LocalTime;
  readonly #format: LogFormat;
  readonly #logs = new Map<string, InverterLog>();
  readonly #queue: WriteQueue<Waiting>;
  #first: DayFolder<LogEntry> | undefined;
  #compressedOn = "";

  private constructor(options: TextLogOptions, clock: LocalTime) {
    this.#options = options;
    this.#intervalMs = options.intervalMs ?? 30_000;
    this.#command = options.command ?? "QPIGS";
    this.#clock = clock;
    this.#format = options.format === "csv" ? new CsvFormat() : new ClassicFormat(options.columnsOf);
    this.#queue = new WriteQueue<Waiting>({
      title: "The text log",
      folder: options.folder,
      maxEntries: options.bufferLines ?? 5_000,
      together: (first, { log, entry }) => log.files === first.log.files && entry.stamp.date === first.entry.stamp.date,
      write: async (batch) => this.#writeBatch(batch),
      chore: { isDue: () => options.compress === true && this.#compressedOn !== this.#today(), run: (signal) => this.#compress(signal) },
      ...(options.retryMs === undefined ? {} : { retryMs: options.retryMs }),
      logger: options.logger,
    });
  }

  /** Mends what a power cut has left. A disk that cannot be written is reported, not thrown: it may come back. */
  static async open(options: TextLogOptions): Promise<TextLog> {
    const log = new TextLog(options, LocalTime.of(options.timeZone));
    const files = log.#folder("");
    log.#first = files;
    try {
      await files.prepare(log.#today());
    } catch (error) {
      log.#queue.report(error);
    }
    log.#queue.start();
    return log;
  }

  /** The file that is written at the moment, of the inverter that logs into the folder itself. */
  get currentFile(): string {
    return (this.#first ?? this.#folder("")).filePath(this.#today());
  }

  get health(): WriteQueueHealth {
    return this.#queue.health;
  }

  reading(reading: Reading, inverter: InverterInfo): void {
    if (reading.command !== this.#command || this.#queue.isClosing) return;
    const log = this.#logOf(reading.inverter);
    if (!this.#isDue(log, reading.at)) return;
    this.#queue.add({ log, entry: { reading, simulated: inverter.simulated, stamp: this.#clock.stamp(reading.at) } });
  }

  status(_status: LinkStatus, _inverter: InverterInfo): void {
    // A silent inverter shows as missing lines.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]();
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

  #folder(subfolder: string): DayFolder<LogEntry> {
    const { folder, logger, openForAppend } = this.#options;
    const path = join(folder, subfolder);
    return new DayFolder({
      path,
      title: "The text log",
      format: this.#format,
      logger,
      ...(openForAppend === undefined ? {} : { openForAppend }),
    });
  }

  #today(): string {
    return this.#clock.stamp((this.#options.now ?? Date.now)()).date;
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<number> {
    const [first] = batch;
    if (first === undefined) return 0;
    return await first.log.files.append(
      batch.map(({ entry }) => entry),
      this.#today(),
    );
  }

  async #compress(signal: AbortSignal): Promise<void> {
    const today = this.#today();
    // Whatever happens, not again before tomorrow or the next start.
    this.#compressedOn = today;
    const folders = new Set([...this.#logs.values()].map(({ files }) => files));
    if (this.#first !== undefined) folders.add(this.#first);
    for (const files of folders) {
      try {
        await files.compressClosed(today, { signal });
      } catch (error) {
        if (!signal.aborted) this.#options.logger.warn(`Old text logs in ${files.path} could not be compressed: ${String(error)}`);
      }
    }
  }
}
