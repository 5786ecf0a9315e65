import { lookAroundMs } from "../../energy/counter.ts";
import { bucketMs, type EnergyBucket } from "../../energy/flow.ts";
import type { HistoryRow, TimeRange } from "../../model/history.ts";
import { keptEnergy, unitsWithEnergy } from "../../store/energy-table.ts";
import { dayMs } from "../../store/keys.ts";
import type { StoreReader } from "../../store/reader.ts";
import { countedAnew, tellsPower, type EnergyPace } from "./energy-recount.ts";
import { EnergyUnits } from "./energy-units.ts";

/** Energy of one unit in quarters of an hour, in time order. */
export interface UnitEnergy {
  readonly unit: string;
  readonly buckets: readonly EnergyBucket[];
}

/** What is not sealed yet is at most some hours. */
const longestRecountMs = 2 * dayMs;

/** The quarters of an hour of a range of every unit, up to the last reading. */
export async function readEnergy(
  reader: StoreReader,
  range: TimeRange,
  { pace, signal }: { readonly pace: EnergyPace; readonly signal: AbortSignal },
): Promise<UnitEnergy[]> {
  const { tables } = reader;
  const kept = new Map(unitsWithEnergy(tables).map((unit) => [unit, keptEnergy(tables, unit, range) as EnergyBucket[]]));
  const ends = [...kept.values()].map((buckets) => (buckets.at(-1)?.at ?? range.from - bucketMs) + bucketMs);
  const end = ends.length === 0 ? range.from : Math.min(...ends);
  const around = lookAroundMs(pace);
  const last = (await reader.contents()).reduce((latest, { last: at }) => Math.max(latest, at), 0);
  const to = Math.min(range.to, last + 1);
  // From the earliest end on, so that a unit that was away for a while is counted too.
  const from = Math.max(end, to - longestRecountMs, range.from);
  if (from < to) {
    const units = new EnergyUnits(tables);
    const rows: HistoryRow[] = [];
    const commands = [...new Set(tables.streams().flatMap((stream) => (tellsPower(stream) ? [stream.command] : [])))];
    const query = { from: from - around, to: Math.min(to + around, last + 1), ...(commands.length > 0 && { commands }) };
    for await (const part of reader.rows(query, { signal })) {
      for (const row of part) units.meet(row);
      rows.push(...part);
    }
    const fresh = countedAnew(rows, { from: Math.floor(from / bucketMs) * bucketMs, to }, { pace, units, tables });
    for (const [unit, buckets] of fresh) {
      const own = kept.get(unit) ?? [];
      const known = new Set(own.map(({ at }) => at));
      kept.set(
        unit,
        [...own, ...buckets.filter(({ at }) => !known.has(at))].toSorted((a, b) => a.at - b.at),
      );
    }
  }
  return [...kept].map(([unit, buckets]) => ({ unit, buckets })).filter(({ buckets }) => buckets.length > 0);
}
