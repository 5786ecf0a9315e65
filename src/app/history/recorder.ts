import type { HistoryEvent, HistoryRow } from "../../model/history.ts";
import type { Logger } from "../../model/logger.ts";
import type { InverterInfo, LinkStatus, Reading, Sink } from "../../model/reading.ts";
import type { Clock } from "../../session/clock.ts";
import type { EnergyTotals } from "./energy-keeper.ts";
import { EventWatch } from "./event-watch.ts";
import { historyRowOf } from "./history-row.ts";

/** Where rows go; each call may wait for a disk. */
export interface RecorderTarget {
  append(rows: readonly HistoryRow[]): Promise<void>;
  events(events: readonly HistoryEvent[]): Promise<void>;
  /** Resolves, when all is safe from a power cut, with the energy counted until then. */
  sync(): Promise<EnergyTotals | undefined>;
  tick(): Promise<void>;
  /** Does one piece of tidying; false when there is none left. */
  pack(): Promise<boolean>;
}

export interface RecorderOptions {
  readonly target: RecorderTarget;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds of readings that a power cut may take. */
  readonly syncEveryMs: number;
  /** Readings that wait in memory while the disk fails; the oldest goes first. Default 200,000. */
  readonly bufferRows?: number;
  /** Everything read until this time (UTC epoch milliseconds) is safe from a power cut. */
  readonly onSynced?: (at: number, energy: EnergyTotals | undefined) => void;
}

/** How keeping goes. */
export interface RecorderHealth {
  readonly rowsKept: number;
  readonly rowsWaiting: number;
  readonly rowsDropped: number;
  /** In plain words; absent while all is well. */
  readonly trouble?: string;
}

const tickEveryMs = 10_000;
const rowsPerCall = 5_000;
const firstRetryMs = 1_000;
const lastRetryMs = 60_000;

/** Takes every reading and hands it to history, in the background: a disk that stalls delays nobody. */
export class Recorder implements Sink {
  readonly name = "history";
  readonly #options: RecorderOptions;
  readonly #bufferRows: number;
  readonly #watch: EventWatch;
  #rows: HistoryRow[] = [];
  #events: HistoryEvent[] = [];
  #kept = 0;
  #dropped = 0;
  #trouble: string | undefined;
  #wake: (() => void) | undefined;
  /** Something happened that a power cut must not take. */
  #isUrgent = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#bufferRows = options.bufferRows ?? 200_000;
    this.#watch = new EventWatch();
  }

  get health(): RecorderHealth {
    return {
      rowsKept: this.#kept,
      rowsWaiting: this.#rows.length,
      rowsDropped: this.#dropped,
      ...(this.#trouble !== undefined && { trouble: this.#trouble }),
    };
  }

  reading(reading: Reading, inverter: InverterInfo): void {
    this.#rows.push(historyRowOf(reading));
    if (this.#rows.length > this.#bufferRows) {
      this.#dropped += this.#rows.length - this.#bufferRows;
      this.#rows = this.#rows.slice(-this.#bufferRows);
    }
    this.happened(this.#watch.reading(reading, inverter));
    this.#wake?.();
  }

  status(status: LinkStatus, inverter: InverterInfo): void {
    this.happened(this.#watch.status(status, inverter));
  }

  /** Keeps events, at once. */
  happened(events: readonly HistoryEvent[]): void {
    if (events.length === 0) return;
    this.#events.push(...events);
    this.#isUrgent = true;
    this.#wake?.();
  }

  /** Works until the signal fires, then brings away what is left. */
  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { clock } = this.#options;
    let syncAt = clock.monotonic() + this.#options.syncEveryMs;
    let tickAt = clock.monotonic() + tickEveryMs;
    let retryMs = firstRetryMs;
    let isTidy = false;
    while (!signal.aborted) {
      const now = clock.monotonic();
      try {
        await this.#deliver();
        if (this.#isUrgent || now >= syncAt) {
          this.#isUrgent = false;
          syncAt = now + this.#options.syncEveryMs;
          await this.#sync();
        }
        if (now >= tickAt) {
          tickAt = now + tickEveryMs;
          await this.#options.target.tick();
          isTidy = false;
        }
        this.#well();
        retryMs = firstRetryMs;
        if (!isTidy) isTidy = !(await this.#options.target.pack());
        if (isTidy && this.#rows.length === 0 && this.#events.length === 0) await this.#rest(Math.min(syncAt, tickAt), signal);
      } catch (error) {
        this.#failed(error);
        await this.#sleep(retryMs, signal);
        retryMs = Math.min(retryMs * 2, lastRetryMs);
      }
    }
    await this.#finish();
  }

  async #finish(): Promise<void> {
    try {
      await this.#deliver();
      await this.#sync();
    } catch (error) {
      this.#options.logger.error(`History: ${this.#rows.length} readings could not be kept: ${String(error)}`);
    }
  }

  async #deliver(): Promise<void> {
    while (this.#rows.length > 0) {
      const rows = this.#rows.slice(0, rowsPerCall);
      const droppedBefore = this.#dropped;
      await this.#options.target.append(rows);
      this.#kept += rows.length;
      // What was dropped meanwhile was at the front too.
      this.#rows = this.#rows.slice(Math.max(0, rows.length - (this.#dropped - droppedBefore)));
    }
    if (this.#events.length === 0) return;
    const events = this.#events.slice();
    await this.#options.target.events(events);
    this.#events = this.#events.slice(events.length);
  }

  async #sync(): Promise<void> {
    const at = this.#options.clock.now();
    const energy = await this.#options.target.sync();
    this.#options.onSynced?.(at, energy);
  }

  #failed(error: unknown): void {
    const trouble = error instanceof Error ? error.message : String(error);
    if (this.#trouble !== trouble) this.#options.logger.error(`History cannot be kept, readings wait in memory: ${trouble}`);
    this.#trouble = trouble;
  }

  #well(): void {
    if (this.#trouble === undefined) return;
    this.#options.logger.info("History is kept again");
    this.#trouble = undefined;
  }

  /** Until there is something to do. */
  async #rest(until: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    try {
      await this.#sleep(Math.max(0, until - this.#options.clock.monotonic()), AbortSignal.any([signal, woken.signal]));
    } finally {
      this.#wake = undefined;
    }
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.clock.sleep(ms, { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
