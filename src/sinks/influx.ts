import { appendFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "../model/logger.ts";
import type { InverterInfo, LinkStatus, Reading, Sink } from "../model/reading.ts";
import { pointsOfEnergy, pointsOfReading, pointsOfStatus, type PointNames } from "./influx-points.ts";
import { InfluxQueue, type Batch } from "./influx-queue.ts";
import { InfluxTarget, type InfluxTargetOptions, type Outcome } from "./influx-target.ts";

export interface InfluxOptions extends InfluxTargetOptions, PointNames {
  /** Folder of the queue, ours alone. */
  readonly folder: string;
  readonly maxQueueBytes: number;
  /** Milliseconds between two batches. */
  readonly intervalMs: number;
  /** First pause after a failure, milliseconds; it doubles up to 60,000. Default 1,000. */
  readonly retryMs?: number;
  readonly logger: Logger;
}

export interface InfluxHealth {
  readonly connected: boolean;
  readonly pointsWritten: number;
  readonly pointsWaiting: number;
  /** Lost for want of room. */
  readonly pointsDropped: number;
  /** Refused by the database; they are in the file of rejects. */
  readonly pointsRefused: number;
  /** In plain words; absent while all is well. */
  readonly trouble?: string;
}

interface Refused {
  readonly point: string;
  readonly status: number;
  readonly answer: string;
}

interface Delivery {
  taken: number;
  readonly refused: Refused[];
}

type Later = Extract<Outcome, { readonly kind: "later" }>;

const longestPauseMs = 60_000;
const rejectsName = "rejects.ndjson";
const maxRejectsBytes = 10_000_000;
const closeWithinMs = 800;
/** So often a database that has never taken anything may refuse everything before its points are set aside. */
const maxHolds = 10;

/**
 * Writes every reading to a database by InfluxDB's line protocol. Points go into a queue on the disk first and from there
 * in batches, so neither an outage of the database nor our own end loses any; nobody waits for it.
 */
export class InfluxSink implements Sink, AsyncDisposable {
  readonly name = "InfluxDB";
  readonly address: string;
  readonly #options: InfluxOptions;
  readonly #target: InfluxTarget;
  readonly #queue: InfluxQueue;
  #written = 0;
  #refused = 0;
  #holds = 0;
  #outage: { readonly since: number; readonly mustBeMended: boolean; readonly trouble: string } | undefined;
  #closing = false;

  private constructor(options: InfluxOptions, target: InfluxTarget, queue: InfluxQueue) {
    this.#options = options;
    this.#target = target;
    this.#queue = queue;
    this.address = target.address;
  }

  /** Opens the queue; does not wait for the database. Throws ConfigError for a URL that is none. */
  static async open(options: InfluxOptions): Promise<InfluxSink> {
    const target = new InfluxTarget(options);
    const { folder, maxQueueBytes, logger } = options;
    const queue = await InfluxQueue.open({ folder, maxBytes: maxQueueBytes, logger });
    if (queue.waiting > 0) logger.info(`${queue.waiting} points of an earlier run wait for the database at ${target.address}`);
    return new InfluxSink(options, target, queue);
  }

  get health(): InfluxHealth {
    const trouble = this.#outage?.trouble ?? this.#queue.trouble;
    return {
      connected: this.#outage === undefined && this.#written > 0,
      pointsWritten: this.#written,
      pointsWaiting: this.#queue.waiting,
      pointsDropped: this.#queue.dropped,
      pointsRefused: this.#refused,
      ...(trouble !== undefined && { trouble }),
    };
  }

  reading(reading: Reading, inverter: InverterInfo): void {
    if (!this.#closing) this.#queue.push(pointsOfReading(reading, inverter, this.#options));
  }

  status(status: LinkStatus, inverter: InverterInfo): void {
    if (!this.#closing) this.#queue.push(pointsOfStatus(status, inverter, this.#options));
  }

  /** Wh by flow since counting began, of an inverter or of all together. */
  energy(at: number, wattHours: Readonly<Record<string, number>>, inverter?: string): void {
    if (!this.#closing) this.#queue.push(pointsOfEnergy(at, wattHours, inverter, this.#options));
  }

  /** Waits until everything that was given is in the queue on the disk. */
  async queued(): Promise<void> {
    await this.#queue.written();
  }

  /** Sends batches until the signal fires. */
  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { intervalMs, retryMs = 1_000 } = this.#options;
    let pauseMs = 0;
    try {
      for (;;) {
        await delay(pauseMs === 0 ? intervalMs : pauseMs * (0.9 + 0.2 * Math.random()), undefined, { signal });
        const trouble = await this.#sendAll({ signal });
        pauseMs = trouble === undefined ? 0 : Math.min(longestPauseMs, pauseMs === 0 ? retryMs : pauseMs * 2);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** What was not sent yet stays in the queue for the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const tooLate = new AbortController();
    // A disk that does not answer must not hold up the end.
    await Promise.race([
      this.#queue[Symbol.asyncDispose](),
      delay(closeWithinMs, undefined, { signal: tooLate.signal }).catch(() => undefined),
    ]);
    tooLate.abort();
  }

  async #sendAll({ signal }: { readonly signal: AbortSignal }): Promise<Later | undefined> {
    // While older files wait, the newest one grows: an outage makes few files.
    if (!this.#queue.hasSealed) await this.#queue.seal();
    for (;;) {
      const later = await this.#sendOldest({ signal });
      if (later === "empty") return undefined;
      if (later !== undefined) {
        this.#report(later);
        return later;
      }
    }
  }

  async #sendOldest({ signal }: { readonly signal: AbortSignal }): Promise<Later | "empty" | undefined> {
    let batch: Batch | undefined;
    try {
      batch = await this.#queue.oldest();
      if (batch === undefined) return "empty";
      const delivery: Delivery = { taken: 0, refused: [] };
      const later = batch.lines.length === 0 ? undefined : await this.#deliver(batch.lines, delivery, { signal });
      if (later !== undefined) return later;
      if (delivery.refused.length > 0) await this.#setAside(delivery.refused);
      await batch.done();
      this.#written += delivery.taken;
      this.#refused += delivery.refused.length;
      if (delivery.taken > 0) this.#back();
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      // The queue's own folder cannot be read or written; anything else is a mistake of ours.
      if (!(error instanceof Error && "syscall" in error)) throw error;
      return { kind: "later", trouble: `the queue cannot be used: ${error.message}`, mustBeMended: true };
    } finally {
      batch?.release();
    }
  }

  /** Halves what is refused until the points that are to blame are found; the rest is taken. */
  async #deliver(lines: readonly string[], delivery: Delivery, { signal }: { readonly signal: AbortSignal }): Promise<Later | undefined> {
    const outcome = await this.#target.post(lines, { signal });
    if (outcome.kind === "later") return outcome;
    if (outcome.kind === "taken") {
      delivery.taken += lines.length;
      this.#holds = maxHolds;
      return undefined;
    }
    const { status, answer } = outcome;
    const held = await this.#holdBack(lines, outcome, { signal });
    if (held !== undefined) return held;
    const [point = ""] = lines;
    if (lines.length === 1) {
      delivery.refused.push({ point, status, answer });
      return undefined;
    }
    const middle = Math.ceil(lines.length / 2);
    return (
      (await this.#deliver(lines.slice(0, middle), delivery, { signal })) ??
      (await this.#deliver(lines.slice(middle), delivery, { signal }))
    );
  }

  /**
   * A database that has never taken anything and refuses its first and its last point is more likely told the wrong
   * database than given nothing but bad points: they are held for some minutes before they are set aside.
   */
  async #holdBack(
    lines: readonly string[],
    { status, answer }: Extract<Outcome, { readonly kind: "refused" }>,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Later | undefined> {
    if (this.#holds >= maxHolds) return undefined;
    for (const line of [lines[0], lines.at(-1)]) {
      if (line === undefined) continue;
      const alone = await this.#target.post([line], { signal });
      if (alone.kind === "later") return alone;
      if (alone.kind === "taken") {
        this.#holds = maxHolds;
        return undefined;
      }
    }
    this.#holds++;
    return { kind: "later", trouble: `${this.address} refuses every point with ${status}: ${answer}`, mustBeMended: true };
  }

  async #setAside(refused: readonly Refused[]): Promise<void> {
    const { folder, logger } = this.#options;
    const path = join(folder, rejectsName);
    const [first] = refused;
    logger.error(`The database at ${this.address} refused ${refused.length} points, first with ${first?.status}: ${first?.answer}`, {
      path,
    });
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    const at = new Date().toISOString();
    const text = refused.map((each) => `${JSON.stringify({ at, ...each })}\n`).join("");
    if (size + text.length <= maxRejectsBytes) await appendFile(path, text);
    else logger.warn(`${path} is full: the refused points are counted only`);
  }

  /** One message per outage; a second one only if it then turns out to be something that a person must mend. */
  #report({ trouble, mustBeMended }: Later): void {
    const known = this.#outage;
    this.#outage = { since: known?.since ?? performance.now(), mustBeMended, trouble };
    if (known !== undefined && (known.mustBeMended || !mustBeMended)) return;
    const message = `Nothing can be written to the database: ${trouble}. Points wait in the queue; it is tried again by itself`;
    if (mustBeMended) this.#options.logger.error(message);
    else this.#options.logger.warn(message);
  }

  #back(): void {
    const away = this.#outage;
    this.#outage = undefined;
    if (away !== undefined)
      this.#options.logger.info(
        `The database at ${this.address} takes points again after ${Math.round((performance.now() - away.since) / 1_000)} s`,
      );
  }
}
