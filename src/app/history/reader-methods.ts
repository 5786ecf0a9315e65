import { StoreError } from "../../model/errors.ts";
import type { HistoryRow, TimeRange } from "../../model/history.ts";
import { StoreReader } from "../../store/reader.ts";
import type { EventQuery, RowQuery, SeriesQuery, SpanQuery } from "../../store/ports.ts";

import { readEnergy, type UnitEnergy } from "./energy-reader.ts";
import { energyPaceOf } from "./energy-recount.ts";

type Options = { readonly signal: AbortSignal };

/** What the thread that answers questions about history can be asked; `open` first. */
export function readerMethods() {
  let opened: StoreReader | undefined;
  let pace = energyPaceOf(0);
  const reader = (): StoreReader => {
    if (opened === undefined) throw new StoreError("store-closed", "The history is not open");
    return opened;
  };
  return {
    open: async ({
      folder,
      timeZone,
      pollMs,
    }: {
      readonly folder: string;
      readonly timeZone: string;
      readonly pollMs: number;
    }): Promise<void> => {
      pace = energyPaceOf(pollMs);
      opened = await StoreReader.open({ folder, timeZone });
    },
    contents: async () => await reader().contents(),
    series: async (query: SeriesQuery, options: Options) => await reader().series(query, options),
    spans: async (query: SpanQuery, options: Options) => await reader().spans(query, options),
    events: async (query: EventQuery, options: Options) => await reader().events(query, options),
    energy: async (range: TimeRange, { signal }: Options): Promise<UnitEnergy[]> => await readEnergy(reader(), range, { pace, signal }),
    rows: async (query: RowQuery, options: Options): Promise<{ readonly rows: readonly HistoryRow[]; readonly next: number | undefined }> =>
      await reader().rowsFrom(query, options),
  };
}

export type ReaderMethods = ReturnType<typeof readerMethods>;
