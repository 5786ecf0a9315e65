import { StoreError } from "../../model/errors.ts";
import type { HistoryEvent, HistoryRow } from "../../model/history.ts";
import type { Logger } from "../../model/logger.ts";
import { energyPaceOf } from "./energy-recount.ts";
import { EnergyKeeper, type EnergyTotals } from "./energy-keeper.ts";
import { thin, type Retention } from "../../store/retention.ts";
import { HistoryWriter } from "../../store/writer.ts";

/** What the thread starts with. */
interface WriterOpening {
  readonly folder: string;
  readonly pollMs: number;
  readonly keep: Retention;
}

/** What the thread that writes history can be asked; `open` first. */
export function writerMethods(logger: Logger) {
  let opened: HistoryWriter | undefined;
  let energy: EnergyKeeper | undefined;
  let retention: Retention | undefined;
  const writer = (): HistoryWriter => {
    if (opened === undefined) throw new StoreError("store-closed", "The history is not open");
    return opened;
  };
  return {
    open: async ({ folder, pollMs, keep }: WriterOpening): Promise<void> => {
      retention = keep;
      opened = await HistoryWriter.open({
        folder,
        logger,
        now: Date.now,
        beside: (tables) => (energy = new EnergyKeeper(tables, energyPaceOf(pollMs))),
      });
    },
    append: async (rows: readonly HistoryRow[]): Promise<void> => await writer().append(rows),
    events: (events: readonly HistoryEvent[]): void => writer().events(events),
    /** Resolves with what was counted when all that was appended is safe from a power cut. */
    sync: async (): Promise<EnergyTotals | undefined> => {
      const totals = energy?.totals;
      await writer().sync();
      return totals;
    },
    tick: async (): Promise<void> => await writer().tick(),
    /** Mends a little of what was damaged, makes a pack, or deletes some of what is too old; false when there is nothing to do. */
    pack: async (): Promise<boolean> =>
      (await writer().mend()) || writer().pack() || (retention !== undefined && thin(writer().tables, Date.now(), retention)),
    close: async (): Promise<void> => {
      await opened?.[Symbol.asyncDispose]();
      opened = undefined;
    },
  };
}

export type WriterMethods = ReturnType<typeof writerMethods>;
