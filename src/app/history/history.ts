import type { HistoryEvent, HistoryRow, IngestResult } from "../../model/history.ts";
import type { Logger } from "../../model/logger.ts";
import type { Clock } from "../../session/clock.ts";
import type { HistoryInput } from "../../store/ports.ts";
import { Thread } from "../../store/thread.ts";
import { RemoteReader } from "./remote-reader.ts";
import { Recorder } from "./recorder.ts";
import type { ReaderMethods } from "./reader-methods.ts";
import { logTold } from "./thread-log.ts";
import type { WriterMethods } from "./writer-methods.ts";

export interface HistoryOptions {
  readonly folder: string;
  readonly timeZone: string;
  readonly syncIntervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The history of the running program: one thread keeps it, another answers questions, and neither ever delays the poller. */
export class History implements HistoryInput, AsyncDisposable {
  /** Takes every reading. */
  readonly recorder: Recorder;
  readonly reader: RemoteReader;
  readonly #writer: Thread<WriterMethods>;

  private constructor(options: HistoryOptions, writer: Thread<WriterMethods>, reader: RemoteReader) {
    const { clock, logger, syncIntervalMs } = options;
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
    });
  }

  /** Throws StoreError when the folder's history cannot be used. */
  static async open(options: HistoryOptions): Promise<History> {
    const { folder, timeZone, logger } = options;
    const onTold = logTold(logger);
    const onEnded = (error: Error): void => logger.error(error.message);
    const thread = (name: string) => ({ entry: new URL(`./${name}-thread.js`, import.meta.url), data: null, onTold, onEnded });
    const writer = Thread.start<WriterMethods>(thread("writer"));
    try {
      await writer.call("open", { folder });
      const reader = Thread.start<ReaderMethods>(thread("reader"));
      try {
        await reader.call("open", { folder, timeZone });
        return new History(options, writer, new RemoteReader(reader));
      } catch (error) {
        await reader[Symbol.asyncDispose]();
        throw error;
      }
    } catch (error) {
      await writer[Symbol.asyncDispose]();
      throw error;
    }
  }

  async ingest(rows: readonly HistoryRow[], { signal }: { readonly signal?: AbortSignal } = {}): Promise<IngestResult> {
    return await this.#writer.call("ingest", rows, signal && { signal });
  }

  async events(events: readonly HistoryEvent[]): Promise<void> {
    await this.#writer.call("events", events);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.reader[Symbol.asyncDispose]();
    await this.#writer.call("close", null);
    await this.#writer[Symbol.asyncDispose]();
  }
}
