import { recount, type CountOptions } from "../../energy/counter.ts";
import type { EnergyBucket } from "../../energy/flow.ts";
import { usualHoldMs } from "../../energy/integrate.ts";
import { powerNames } from "../../energy/powers.ts";
import { knownNames } from "../../energy/sampler.ts";
import type { HistoryRow, SeriesInfo, TimeRange } from "../../model/history.ts";
import type { StreamRow, Tables } from "../../store/tables.ts";
import type { EnergyUnits } from "./energy-units.ts";

/** How long powers stand for, from the pace of the readings. */
export type EnergyPace = Pick<CountOptions, "holdMs" | "freshMs">;

const usualFreshMs = 30_000;

/** `pollMs`: period of the live values. What is polled seldom must not look like one gap after another. */
export function energyPaceOf(pollMs: number): EnergyPace {
  return { holdMs: Math.max(usualHoldMs, 4 * pollMs), freshMs: Math.max(usualFreshMs, 2 * pollMs) };
}

/** Whether powers are made of a stream's values. */
export function tellsPower({ names }: Pick<StreamRow, "names">): boolean {
  return Object.keys(names).some((name) => powerNames.has(name));
}

/** The quarters of an hour of a range by unit, from rows in time order that reach around it. */
export function countedAnew(
  rows: readonly HistoryRow[],
  range: TimeRange,
  { pace, units, tables }: { readonly pace: EnergyPace; readonly units: EnergyUnits; readonly tables: Tables },
): Map<string, EnergyBucket[]> {
  const byUnit = new Map<string, HistoryRow[]>();
  for (const row of rows) {
    const unit = units.of(row);
    if (unit === undefined) continue;
    const own = byUnit.get(unit);
    if (own === undefined) byUnit.set(unit, [row]);
    else own.push(row);
  }
  const streams = tables.streams();
  const counted = new Map<string, EnergyBucket[]>();
  for (const [unit, own] of byUnit) counted.set(unit, recount(own, range, { ...pace, known: knownNames(seriesOf(streams, unit)) }));
  return counted;
}

function seriesOf(streams: readonly StreamRow[], unit: string): SeriesInfo[] {
  return streams
    .filter(({ inverter }) => inverter === unit)
    .flatMap(({ inverter, command, names }) =>
      Object.entries(names).map(([name, { type, origin }]): SeriesInfo => ({ inverter, command, name, origin, type })),
    );
}
