import { balanceOf, type PeriodBalance } from "../../../energy/balance.ts";
import { bucketMs, msPerHour, type EnergyBucket } from "../../../energy/flow.ts";
import type { Filling } from "../../../energy/gaps.ts";
import { within } from "../../../energy/integrate.ts";
import { reconcile, type Comparison } from "../../../energy/reconcile.ts";
import {
  batteryUseOf,
  loadDuration,
  peakLoad,
  sharesOf,
  type BatteryUse,
  type DurationPoint,
  type Peak,
} from "../../../energy/statistics.ts";
import { sumByPeriod, sumOf, sumOfUnits, type PeriodFlows } from "../../../energy/sums.ts";
import { billOf, type Bill, type Tariff } from "../../../energy/tariff.ts";
import type { HistoryEvent, TimeRange } from "../../../model/history.ts";
import { localPeriods, type LocalPeriod } from "../../../model/local-periods.ts";
import type { LocalTime } from "../../../model/local-time.ts";
import type { Values } from "../../../model/reading.ts";
import type { UnitEnergy } from "../energy-reader.ts";

/** A figure that is not known says why. */
export interface Unknown {
  readonly unknown: string;
}
export type Figure<T> = T | Unknown;

export function isUnknown(figure: number | object): figure is Unknown {
  return typeof figure === "object" && "unknown" in figure;
}

export function isKnown<T extends number | object>(figure: Figure<T>): figure is T {
  return !isUnknown(figure);
}

/** What a report is made of; gathered from history and the configuration. */
export interface ReportInput {
  readonly period: LocalPeriod;
  readonly local: LocalTime;
  /** UTC epoch ms: what lies behind it is not missing. */
  readonly now: number;
  readonly energy: readonly UnitEnergy[];
  /** By unit, what its own counters have counted in the period, Wh, by the names of `reconcile`. */
  readonly counters: Readonly<Record<string, Values>>;
  /** By unit, the highest single reading of its load. */
  readonly highest: Readonly<Record<string, Peak>>;
  readonly events: readonly HistoryEvent[];
  /** V, mean of the battery over the period; absent where it was not read. */
  readonly batteryVolts?: number;
  readonly capacityWh: Figure<number>;
  readonly tariff?: Tariff;
  readonly gramsPerKwh?: number;
  readonly neverFeedsIn: boolean;
  readonly filling: Filling;
}

/** Time of which nothing is known of a unit's load. */
export interface MissingTime extends TimeRange {
  readonly unit: string;
  /** Milliseconds that are missing between `from` and `to`, which are edges of quarters of an hour. */
  readonly missingMs: number;
}

/** One hour of a day, day of a month, month of a year. */
export interface ReportPart extends TimeRange {
  readonly label: string;
  readonly flows: PeriodFlows;
}

export interface UnitReport {
  readonly unit: string;
  readonly flows: PeriodFlows;
  /** Beside the unit's own counters, by flow. */
  readonly counters: Readonly<Record<string, Comparison>>;
  readonly highestLoad: Figure<Peak>;
}

/** Energy in Wh, power in W, times in UTC epoch ms. What is not known is a text that says why, never 0. */
export interface Report {
  readonly period: LocalPeriod;
  readonly timeZone: string;
  /** End of what it tells of; before the end of the period while that goes on. */
  readonly until: number;
  readonly total: PeriodFlows;
  readonly units: readonly UnitReport[];
  readonly parts: readonly ReportPart[];
  readonly selfConsumption: Figure<number>;
  readonly selfSufficiency: Figure<number>;
  readonly battery: Figure<Omit<BatteryUse, "cycles"> & { readonly cycles: Figure<number> }>;
  readonly balance: Figure<PeriodBalance>;
  readonly peak: Figure<Peak>;
  readonly loadDuration: readonly DurationPoint[];
  readonly bill: Figure<Bill & { readonly currency: string }>;
  readonly co2: Figure<{ readonly grams: number; readonly gramsSaved: number }>;
  readonly missing: readonly MissingTime[];
  readonly events: readonly HistoryEvent[];
}

/** The story of a period. */
export function makeReport(input: ReportInput): Report {
  const { period, local, now, energy, filling, events } = input;
  const until = Math.min(now, period.to);
  const together = sumOfUnits(energy.map(({ buckets }) => buckets));
  const sums = (buckets: readonly EnergyBucket[]): PeriodFlows =>
    sumByPeriod(buckets, { kind: period.kind, local, range: period, now, filling }).find(({ period: { key } }) => key === period.key)
      ?.flows ?? {};
  const total = sums(together);
  const own = within(together, period);
  const shares = sharesOf(total, { neverFeedsIn: input.neverFeedsIn });
  const { costs, co2 } = billed(own, input, until);
  return {
    period,
    timeZone: local.timeZone,
    until,
    total,
    units: energy.map(({ unit, buckets }) => {
      const flows = sums(buckets);
      return {
        unit,
        flows,
        counters: reconcile({ period, flows }, input.counters[unit] ?? {}),
        highestLoad: input.highest[unit] ?? { unknown: "no single readings of its load are kept for this time" },
      };
    }),
    parts: partsOf(period, local, until).map((part) => ({
      ...part,
      flows: sumOf(within(together, part), { lengthMs: Math.min(until, part.to) - part.from }),
    })),
    selfConsumption:
      shares.selfConsumption ??
      unknown(absent(total, ["pv"]) ?? (total.pv?.wattHours === 0 ? "there was no PV energy" : "the unit does not tell what it feeds in")),
    selfSufficiency: shares.selfSufficiency ?? unknown(absent(total, ["load", "gridImport"]) ?? "there was no load"),
    battery: batteryOf(total, input.capacityWh),
    balance: balance(own, input, until) ?? unknown(absent(total, balanced) ?? "its parts were never known at the same time"),
    peak: peakLoad(own) ?? unknown("no quarter of an hour of the load is known"),
    loadDuration: loadDuration(own),
    bill: costs,
    co2,
    missing: energy.flatMap(({ unit, buckets }) => missingOf(unit, within(buckets, period), { from: period.from, to: until })),
    events,
  };
}

const balanced = ["pv", "load", "gridImport", "batteryCharge", "batteryDischarge"] as const;

const unknown = (why: string): Unknown => ({ unknown: why });

/** Which of these is not known, as a reason. */
function absent(flows: PeriodFlows, keys: readonly (keyof PeriodFlows)[]): string | undefined {
  const names: Partial<Record<keyof PeriodFlows, string>> = {
    pv: "PV",
    load: "the load",
    gridImport: "grid power",
    batteryCharge: "the battery's charge",
    batteryDischarge: "the battery's discharge",
  };
  const missing = keys.filter((key) => flows[key] === undefined).map((key) => names[key] ?? key);
  return missing.length === 0 ? undefined : `${missing.join(" and ")} ${missing.length === 1 ? "was" : "were"} not known at any moment`;
}

function balance(own: readonly EnergyBucket[], { batteryVolts, energy, period }: ReportInput, until: number): PeriodBalance | undefined {
  if (batteryVolts === undefined) return undefined;
  return balanceOf(own, { volts: batteryVolts, units: energy.length, lengthMs: until - period.from });
}

function batteryOf(total: PeriodFlows, capacityWh: Figure<number>): Report["battery"] {
  const use = batteryUseOf(total, isKnown(capacityWh) ? capacityWh : Number.NaN);
  if (use === undefined) return unknown(absent(total, ["batteryCharge", "batteryDischarge"]) ?? "");
  return { ...use, cycles: isKnown(capacityWh) ? use.cycles : capacityWh };
}

function billed(own: readonly EnergyBucket[], input: ReportInput, until: number): { costs: Report["bill"]; co2: Report["co2"] } {
  const { local, period, tariff, gramsPerKwh } = input;
  const nothing = own.some(({ flows }) => flows.load !== undefined && flows.gridImport !== undefined)
    ? undefined
    : unknown("load and grid power were never known at the same time");
  // CO₂ needs no price.
  const free: Tariff = { currency: "", rates: [{ name: "", perKwh: 0 }] };
  const days = localPeriods({ from: period.from, to: until }, "day", local).length;
  const bill = billOf(own, { ...(tariff ?? free), ...(gramsPerKwh !== undefined && { gramsPerKwh }) }, { local, days });
  return {
    costs: tariff === undefined ? unknown("no tariff is configured (energy.tariff)") : (nothing ?? { ...bill, currency: tariff.currency }),
    co2:
      bill.grams === undefined || bill.gramsSaved === undefined
        ? unknown("no CO₂ of a kilowatt-hour is configured (energy.gramsPerKwh)")
        : (nothing ?? { grams: bill.grams, gramsSaved: bill.gramsSaved }),
  };
}

/** Hours of a day, days of a month, months of a year, as far as they have begun. */
function partsOf(period: LocalPeriod, local: LocalTime, until: number): (TimeRange & { readonly label: string })[] {
  if (period.kind !== "day")
    return localPeriods({ from: period.from, to: until }, period.kind === "month" ? "day" : "month", local).map(({ key, from, to }) => ({
      label: key,
      from,
      to,
    }));
  const parts: (TimeRange & { readonly label: string })[] = [];
  for (let from = period.from; from < until; from += msPerHour) {
    const { time, offset } = local.stamp(from);
    const label = time.slice(0, 5);
    // The hour that comes twice when the clocks change.
    const again = parts.some((part) => part.label === label);
    parts.push({ label: again ? `${label} ${offset}` : label, from, to: Math.min(from + msPerHour, period.to) });
  }
  return parts;
}

/** Shorter than any reading could tell. */
const leastMissingMs = 60_000;

/** Neighbouring quarters of an hour that lack readings, as one. */
function missingOf(unit: string, buckets: readonly EnergyBucket[], { from, to }: TimeRange): MissingTime[] {
  const covered = new Map(buckets.map(({ at, flows }) => [at, flows.load?.coveredMs ?? 0]));
  const found: { unit: string; from: number; to: number; missingMs: number }[] = [];
  for (let at = from; at < to; at += bucketMs) {
    const end = Math.min(at + bucketMs, to);
    const missingMs = end - at - (covered.get(at) ?? 0);
    if (missingMs < leastMissingMs) continue;
    const last = found.at(-1);
    if (last?.to === at) {
      last.to = end;
      last.missingMs += missingMs;
    } else found.push({ unit, from: at, to: end, missingMs });
  }
  return found;
}
