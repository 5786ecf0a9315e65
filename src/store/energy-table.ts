import type { HistoryRow, TimeRange } from "../model/history.ts";
import type { Origin, Value } from "../model/reading.ts";
import { dayMs, dayOf } from "./keys.ts";
import { decodeSegment, encodeSegment } from "./segment.ts";
import type { Tables } from "./tables.ts";

/** Energy of one quarter of an hour; the keys are the flows. */
export interface KeptEnergy {
  /** UTC epoch milliseconds of its start. */
  readonly at: number;
  readonly flows: Readonly<Record<string, { readonly wattHours: number; readonly coveredMs: number; readonly origin: Origin } | undefined>>;
}

/** Units have their numbers among the streams, under this name of a command. */
export const energyCommand = "energy";
const command = energyCommand;
const coverage = (flow: string): string => `${flow}.coveredMs`;
/** A thousandth of a watt-hour: as whole numbers the sums take little room. */
const perWattHour = 1_000;

/** Keeps quarters of an hour of a unit, over what was there for the same time. Call it within a transaction. */
export function putEnergy(tables: Tables, unit: string, buckets: readonly KeptEnergy[]): void {
  const days = new Map<number, KeptEnergy[]>();
  for (const bucket of buckets) days.set(dayOf(bucket.at), [...(days.get(dayOf(bucket.at)) ?? []), bucket]);
  for (const [day, own] of days) replaceEnergy(tables, unit, { from: day * dayMs, to: (day + 1) * dayMs }, own, true);
}

/** Puts these in place of all that is kept for the range. Call it within a transaction. */
export function replaceEnergy(tables: Tables, unit: string, range: TimeRange, buckets: readonly KeptEnergy[], keepOthers = false): void {
  const stream = tables.streamId(unit, command);
  for (let day = dayOf(range.from); day <= dayOf(range.to - 1); day++) {
    const body = tables.get("energy", stream, day);
    const kept = body === undefined ? [] : decodeSegment(body, { inverter: unit, command });
    const all = new Map<number, HistoryRow>();
    for (const row of kept) if (keepOthers || row.at < range.from || row.at >= range.to) all.set(row.at, row);
    for (const bucket of buckets) if (dayOf(bucket.at) === day) all.set(bucket.at, rowOf(unit, bucket));
    if (all.size > 0) tables.put("energy", stream, day, encodeSegment([...all.values()].toSorted((a, b) => a.at - b.at)));
  }
}

/** The kept quarters of an hour of a unit that begin in the range, in time order. */
export function keptEnergy(tables: Tables, unit: string, { from, to }: TimeRange): KeptEnergy[] {
  const stream = tables.findStream(unit, command);
  if (stream === undefined) return [];
  const found: KeptEnergy[] = [];
  for (const { body } of tables.range("energy", stream, dayOf(from), dayOf(to - 1)))
    for (const row of decodeSegment(body, { inverter: unit, command })) if (row.at >= from && row.at < to) found.push(energyOf(row));
  return found;
}

/** Units that have energy. */
export function unitsWithEnergy(tables: Tables): string[] {
  return tables.streams().flatMap((stream) => (stream.command === command ? [stream.inverter] : []));
}

function rowOf(unit: string, { at, flows }: KeptEnergy): HistoryRow {
  const values: Record<string, Value> = {};
  const origins: Record<string, Exclude<Origin, "measured">> = {};
  for (const [flow, energy] of Object.entries(flows)) {
    if (energy === undefined) continue;
    values[flow] = Math.round(energy.wattHours * perWattHour) / perWattHour;
    values[coverage(flow)] = energy.coveredMs;
    if (energy.origin !== "measured") origins[flow] = energy.origin;
  }
  return { inverter: unit, at, command, values, origins };
}

function energyOf({ at, values, origins }: HistoryRow): KeptEnergy {
  const flows: Record<string, KeptEnergy["flows"][string]> = {};
  for (const [flow, wattHours] of Object.entries(values)) {
    const coveredMs = values[coverage(flow)];
    if (typeof wattHours === "number" && typeof coveredMs === "number")
      flows[flow] = { wattHours, coveredMs, origin: origins?.[flow] ?? "measured" };
  }
  return { at, flows };
}
