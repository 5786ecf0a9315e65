import type { Logger } from "../../model/logger.ts";
import type { Clock } from "../../session/clock.ts";
import type { EnergyTotals } from "./energy-keeper.ts";
import { HistoryThread } from "./history-thread.ts";
import type { ReaderMethods } from "./reader-methods.ts";
import { Recorder } from "./recorder.ts";
import { RemoteReader } from "./remote-reader.ts";
import type { WriterMethods } from "./writer-methods.ts";

export interface HistoryOptions {
  readonly folder: string;
  readonly timeZone: string;
  readonly syncIntervalMs: number;
  readonly keepReadingsDays: number;
  readonly keepFramesDays: number;
  readonly maxSizeMb: number;
  /** Period of the live values, milliseconds. */
  readonly pollMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Everything read until this time is safe from a power cut; the energy counted until then never goes back. */
  readonly onSynced?: (at: number, energy: EnergyTotals | undefined) => void;
}

/** The history of the running program: one thread keeps it, another answers questions, and neither ever delays the poller. */
export class History implements AsyncDisposable {
  /** Takes every reading. */
  readonly recorder: Recorder;
  readonly reader: RemoteReader;
  readonly #writer: HistoryThread<WriterMethods>;

  private constructor(
    { clock, logger, syncIntervalMs, onSynced }: HistoryOptions,
    writer: HistoryThread<WriterMethods>,
    reader: RemoteReader,
  ) {
    this.#writer = writer;
    this.reader = reader;
    this.recorder = new Recorder({
      target: {
        append: async (rows) => await writer.call("append", rows),
        events: async (events) => await writer.call("events", events),
        sync: async () => await writer.call("sync", null),
        tick: async () => await writer.call("tick", null),
        pack: async () => await writer.call("pack", null),
      },
      clock,
      logger,
      syncEveryMs: syncIntervalMs,
      ...(onSynced && { onSynced }),
    });
  }

  /** Throws StoreError when the folder's history cannot be used. */
  static async open(options: HistoryOptions): Promise<History> {
    const { folder, timeZone, pollMs, logger } = options;
    const keep = { readingsDays: options.keepReadingsDays, framesDays: options.keepFramesDays, bytes: options.maxSizeMb * 1e6 };
    const writer = new HistoryThread<WriterMethods>({ name: "writer", opening: { folder, pollMs, keep }, logger });
    const reader = new HistoryThread<ReaderMethods>({ name: "reader", opening: { folder, timeZone, pollMs }, logger });
    await writer.open();
    try {
      await reader.open();
    } catch (error) {
      await writer[Symbol.asyncDispose]();
      throw error;
    }
    return new History(options, writer, new RemoteReader(reader));
  }

  /** Works until the signal fires. */
  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    await this.recorder.run({ signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.reader[Symbol.asyncDispose]();
    await this.#writer.call("close", null);
    await this.#writer[Symbol.asyncDispose]();
  }
}
