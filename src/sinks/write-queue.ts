import { setTimeout as delay } from "node:timers/promises";
import { SinkError } from "../model/errors.ts";
import type { Logger } from "../model/logger.ts";
import { describeDiskError } from "./disk-error.ts";

export interface WriteQueueOptions<T> {
  /** Begins sentences of the log, e.g. `The text log`. */
  readonly title: string;
  /** Where it writes to; stands behind the title. */
  readonly folder: string;
  /** How many entries wait while the disk fails; the oldest is dropped first. */
  readonly maxEntries: number;
  /** Bytes that may wait; unlimited if absent. The newest entry is kept even if it is larger alone. */
  readonly maxBytes?: number;
  readonly bytesOf?: (entry: T) => number;
  /** Whether the entry may be written in one go with the first one of a batch. */
  readonly together: (first: T, entry: T) => boolean;
  /** Writes entries; returns how many of them, at least one. After an error all of them come again. */
  readonly write: (batch: readonly T[]) => Promise<number>;
  /** What is done when nothing waits; if it fails, it is tried again as a write is. */
  readonly chore?: { isDue(): boolean; run(signal: AbortSignal): Promise<void> };
  /** Told of what is lost; returns how many lines that were, and what waits in their place ahead of the rest. */
  readonly dropped?: (lost: readonly T[]) => { readonly lines: number; readonly instead: T };
  /** First pause before a failed write is tried again, milliseconds; it doubles up to 30 times this. Default 1,000. */
  readonly retryMs?: number;
  /** How long the end may wait for the disk, milliseconds. Default 1,000. */
  readonly closeWithinMs?: number;
  readonly logger: Logger;
}

/** Counters since the start, and what is wrong at the moment. */
export interface WriteQueueHealth {
  readonly linesWritten: number;
  readonly linesWaiting: number;
  readonly linesDropped: number;
  /** In plain words; absent while all is well. */
  readonly trouble?: string;
}

const entriesPerBatch = 256;
const slowDiskMs = 30_000;

/** Lines on their way to the disk. Whoever adds one never waits; a disk that fails is told once and tried again. */
export class WriteQueue<T> implements AsyncDisposable {
  readonly #options: WriteQueueOptions<T>;
  readonly #stop = new AbortController();
  #queue: T[] = [];
  #bytes = 0;
  /** Entries out of the queue that are being written. */
  #inFlight = 0;
  /** On the monotonic clock. */
  #inFlightSince = 0;
  #writing: Promise<void> | undefined;
  #isWriting = false;
  #written = 0;
  #dropped = 0;
  #droppedBefore = 0;
  #trouble: string | undefined;

  constructor(options: WriteQueueOptions<T>) {
    this.#options = options;
  }

  get health(): WriteQueueHealth {
    const counters = { linesWritten: this.#written, linesWaiting: this.#waiting, linesDropped: this.#dropped };
    return this.#trouble === undefined ? counters : { ...counters, trouble: this.#trouble };
  }

  get isClosing(): boolean {
    return this.#stop.signal.aborted;
  }

  get #waiting(): number {
    return this.#queue.length + this.#inFlight;
  }

  /** Nothing is taken any more once the end has begun. */
  add(entry: T): void {
    if (this.#stop.signal.aborted) return;
    this.#queue.push(entry);
    this.#bytes += this.#bytesOf(entry);
    this.#dropOldest();
    this.start();
    if (this.#inFlight > 0 && performance.now() - this.#inFlightSince > slowDiskMs) {
      this.report(new Error("the disk has not answered for half a minute"));
    }
  }

  /** Writes what waits and does the chore if it is due, unless that is going on already. */
  start(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#writing = this.#write();
  }

  /** Tells what is wrong with the disk, once until it works again. */
  report(error: unknown): void {
    const { title, folder, logger } = this.#options;
    const failure = new SinkError(`${title} in ${folder} cannot be written: ${describeDiskError(error)}`, {
      cause: error,
      context: { folder },
    });
    if (this.#trouble === undefined) {
      logger.error(`${failure.message}. Lines are kept in memory and written when it works again`, { code: failure.code });
    }
    this.#trouble = failure.message;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const { logger, title, closeWithinMs = 1_000 } = this.#options;
    this.#stop.abort();
    if (this.#queue.length > 0) this.start();
    const deadline = new AbortController();
    await Promise.race([this.#writing, delay(closeWithinMs, undefined, { signal: deadline.signal }).catch(() => undefined)]);
    deadline.abort();
    if (this.#waiting > 0) logger.error(`${this.#waiting} lines of ${lowerFirst(title)} could not be written before the end`);
  }

  #bytesOf(entry: T): number {
    return this.#options.bytesOf?.(entry) ?? 0;
  }

  #dropOldest(): void {
    const { maxEntries, maxBytes = Number.POSITIVE_INFINITY, logger, title } = this.#options;
    let count = Math.max(0, this.#queue.length - maxEntries);
    let bytes = this.#bytes;
    for (const entry of this.#queue.slice(0, count)) bytes -= this.#bytesOf(entry);
    for (; bytes > maxBytes && count < this.#queue.length - 1; count++) {
      const entry = this.#queue[count];
      if (entry !== undefined) bytes -= this.#bytesOf(entry);
    }
    if (count === 0) return;
    const lost = this.#queue.splice(0, count);
    this.#bytes = bytes;
    if (this.#dropped === this.#droppedBefore) {
      logger.error(`${title}'s buffer is full: its oldest lines are being lost until the disk can be written again`);
    }
    const told = this.#options.dropped?.(lost);
    this.#dropped += told?.lines ?? count;
    if (told === undefined) return;
    this.#queue.unshift(told.instead);
    this.#bytes += this.#bytesOf(told.instead);
  }

  /** Empties the queue; tries again after a failure, ever more rarely. Never rejects. */
  async #write(): Promise<void> {
    const { retryMs = 1_000, chore } = this.#options;
    let pauseMs = retryMs;
    let isLastTry = false;
    const isChoreDue = (): boolean => chore?.isDue() === true && !this.#stop.signal.aborted;
    while (this.#queue.length > 0 || isChoreDue()) {
      try {
        if (this.#queue.length > 0) await this.#writeBatch();
        else await chore?.run(this.#stop.signal);
        pauseMs = retryMs;
      } catch (error) {
        this.report(error);
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
    const { together, write, logger, title } = this.#options;
    const first = this.#queue[0];
    if (first === undefined) return;
    let length = 1;
    for (let next = this.#queue[1]; next !== undefined && together(first, next) && length < entriesPerBatch; next = this.#queue[length])
      length++;
    // Out of the queue while it is written, so that a full buffer drops none of it.
    const batch = this.#queue.splice(0, length);
    for (const entry of batch) this.#bytes -= this.#bytesOf(entry);
    this.#inFlight = length;
    this.#inFlightSince = performance.now();
    let done = 0;
    try {
      done = await write(batch);
    } finally {
      this.#written += done;
      this.#inFlight = 0;
      const rest = batch.slice(done);
      for (const entry of rest) this.#bytes += this.#bytesOf(entry);
      if (rest.length > 0) this.#queue = [...rest, ...this.#queue];
      this.#dropOldest();
    }
    if (this.#trouble !== undefined) {
      const lost = this.#dropped - this.#droppedBefore;
      logger.info(`${title} can be written again${lost === 0 ? "; no line was lost" : `; ${lost} lines were lost`}`);
      this.#trouble = undefined;
      this.#droppedBefore = this.#dropped;
    }
  }
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
