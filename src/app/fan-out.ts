import type { Logger } from "../model/logger.ts";
import type { InverterInfo, LinkStatus, Reading, Sink } from "../model/reading.ts";

export interface FanOutOptions {
  readonly sinks: readonly Sink[];
  readonly logger: Logger;
  /** Milliseconds on a clock that never jumps. */
  readonly monotonic?: () => number;
}

interface Failures {
  count: number;
  reportedCount: number;
  reportedAt: number;
}

const reportEveryMs = 60_000;

/** Hands everything to every sink, by plain calls in the given order; one that throws disturbs no other. */
export class FanOut implements Sink {
  readonly name = "all sinks";
  readonly #sinks: readonly Sink[];
  readonly #logger: Logger;
  readonly #monotonic: () => number;
  readonly #failures = new Map<Sink, Failures>();

  constructor(options: FanOutOptions) {
    this.#sinks = options.sinks;
    this.#logger = options.logger;
    this.#monotonic = options.monotonic ?? (() => performance.now());
  }

  /** How often each sink has thrown, by name. */
  get failures(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#failures].map(([sink, { count }]) => [sink.name, count]));
  }

  reading(reading: Reading, inverter: InverterInfo): void {
    for (const sink of this.#sinks) {
      try {
        sink.reading(reading, inverter);
      } catch (error) {
        this.#failed(sink, error);
      }
    }
  }

  status(status: LinkStatus, inverter: InverterInfo): void {
    for (const sink of this.#sinks) {
      try {
        sink.status(status, inverter);
      } catch (error) {
        this.#failed(sink, error);
      }
    }
  }

  #failed(sink: Sink, error: unknown): void {
    let failures = this.#failures.get(sink);
    if (failures === undefined) this.#failures.set(sink, (failures = { count: 0, reportedCount: 0, reportedAt: Number.NEGATIVE_INFINITY }));
    failures.count++;
    const now = this.#monotonic();
    if (now - failures.reportedAt < reportEveryMs) return;
    const more = failures.count - failures.reportedCount - 1;
    this.#logger.error(`The output ${sink.name} failed${more > 0 ? ` (and ${more} times since the last report)` : ""}: ${String(error)}`, {
      stack: error instanceof Error ? error.stack : undefined,
    });
    failures.reportedAt = now;
    failures.reportedCount = failures.count;
  }
}
