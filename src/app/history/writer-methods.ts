import { StoreError } from "../../model/errors.ts";
import type { HistoryEvent, HistoryRow, IngestResult } from "../../model/history.ts";
import type { Logger } from "../../model/logger.ts";
import { HistoryWriter, type WriterState } from "../../store/writer.ts";

/** What the thread that writes history can be asked; `open` first. */
export function writerMethods(logger: Logger) {
  let opened: HistoryWriter | undefined;
  const writer = (): HistoryWriter => {
    if (opened === undefined) throw new StoreError("store-closed", "The history is not open");
    return opened;
  };
  return {
    open: async ({ folder }: { readonly folder: string }): Promise<void> => {
      opened = await HistoryWriter.open({ folder, logger, now: Date.now });
    },
    append: async (rows: readonly HistoryRow[]): Promise<void> => await writer().append(rows),
    events: (events: readonly HistoryEvent[]): void => writer().events(events),
    ingest: (rows: readonly HistoryRow[]): IngestResult => writer().ingest(rows),
    sync: async (): Promise<void> => await writer().sync(),
    tick: async (): Promise<void> => await writer().tick(),
    pack: (): boolean => writer().pack(),
    state: (): WriterState => writer().state,
    close: async (): Promise<void> => {
      await opened?.[Symbol.asyncDispose]();
      opened = undefined;
    },
  };
}

export type WriterMethods = ReturnType<typeof writerMethods>;
