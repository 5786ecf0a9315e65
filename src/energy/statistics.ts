import type { Bucket } from "../model/history.ts";
import { msPerHour, type EnergyBucket } from "./flow.ts";
import type { PeriodFlows } from "./sums.ts";

export interface Shares {
  /** Share of the PV energy that was not fed in, 0 to 1; absent without PV, and where the unit does not tell what it feeds in. */
  readonly selfConsumption?: number;
  /** Share of the load that did not come from the grid, 0 to 1. What the grid charged into the battery counts as from the grid. */
  readonly selfSufficiency?: number;
}

/** `neverFeedsIn`: the unit cannot or must not feed in, so that all its PV energy is used. */
export function sharesOf(flows: PeriodFlows, { neverFeedsIn = false }: { readonly neverFeedsIn?: boolean } = {}): Shares {
  const { pv, load, gridImport, gridExport } = flows;
  const fedIn = gridExport?.wattHours ?? (neverFeedsIn ? 0 : undefined);
  return {
    ...(pv !== undefined && pv.wattHours > 0 && fedIn !== undefined && { selfConsumption: share(1 - fedIn / pv.wattHours) }),
    ...(load !== undefined &&
      load.wattHours > 0 &&
      gridImport !== undefined && { selfSufficiency: share(1 - gridImport.wattHours / load.wattHours) }),
  };
}

export interface BatteryUse {
  /** What went in and what came out together, Wh. */
  readonly throughput: number;
  /** Full cycles: throughput by twice the capacity. */
  readonly cycles: number;
  /** What came out by what went in; tells the battery's losses over weeks, over a day mostly whether it is fuller than before. Absent where nothing went in. */
  readonly outByIn?: number;
}

/** Absent while one direction is not known. `capacityWattHours`: nominal, of the whole bank. */
export function batteryUseOf({ batteryCharge, batteryDischarge }: PeriodFlows, capacityWattHours: number): BatteryUse | undefined {
  if (batteryCharge === undefined || batteryDischarge === undefined) return undefined;
  const throughput = batteryCharge.wattHours + batteryDischarge.wattHours;
  return {
    throughput,
    cycles: throughput / (2 * capacityWattHours),
    ...(batteryCharge.wattHours > 0 && { outByIn: batteryDischarge.wattHours / batteryCharge.wattHours }),
  };
}

export interface Peak {
  /** W. */
  readonly watts: number;
  /** UTC epoch milliseconds of the start of the time in which it was. */
  readonly at: number;
}

/** A quarter of an hour of which less is known says too little of its mean, ms. */
const leastKnownMs = 450_000;

/** The quarter of an hour with the highest mean load, the first of equal ones. */
export function peakLoad(buckets: readonly EnergyBucket[]): Peak | undefined {
  return highest(meanLoads(buckets));
}

/** The highest single reading, of the kept course of a load in W. */
export function momentaryPeak(course: readonly Bucket[]): Peak | undefined {
  return highest(course.map(({ at, max }) => ({ at, watts: max })));
}

export interface DurationPoint {
  /** Share of the known time, 0 to 1. */
  readonly share: number;
  /** W: for `share` of the time the load was at least this. */
  readonly watts: number;
}

/** The load-duration curve from quarters of an hour, with `points` steps between the peak (share 0) and the base load (share 1). */
export function loadDuration(buckets: readonly EnergyBucket[], points = 20): DurationPoint[] {
  const loads = meanLoads(buckets)
    .map(({ watts }) => watts)
    .sort((a, b) => b - a);
  if (loads.length === 0) return [];
  return Array.from({ length: points + 1 }, (_, index) => {
    const share = index / points;
    return { share, watts: loads[Math.min(loads.length - 1, Math.floor(share * loads.length))] ?? 0 };
  });
}

function meanLoads(buckets: readonly EnergyBucket[]): Peak[] {
  return buckets.flatMap(({ at, flows: { load } }) =>
    load === undefined || load.coveredMs < leastKnownMs ? [] : [{ at, watts: (load.wattHours * msPerHour) / load.coveredMs }],
  );
}

function highest(peaks: readonly Peak[]): Peak | undefined {
  return peaks.reduce<Peak | undefined>((best, peak) => (best === undefined || peak.watts > best.watts ? peak : best), undefined);
}

const share = (value: number): number => Math.min(1, Math.max(0, value));
