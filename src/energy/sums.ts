import type { TimeRange } from "../model/history.ts";
import { localPeriods, type LocalPeriod, type PeriodKind } from "../model/local-periods.ts";
import type { LocalTime } from "../model/local-time.ts";
import type { Origin } from "../model/reading.ts";
import { byFlow, isOfEveryUnit, worstOrigin, type EnergyBucket, type FlowEnergies, type FlowKey } from "./flow.ts";
import { fillGaps, noFilling, type Filled, type FilledFlows, type Filling } from "./gaps.ts";

/** Energy of one flow in one period. */
export interface PeriodFlow {
  /** Wh that were counted. */
  readonly wattHours: number;
  /** Share of the period for which the power was known, 0 to 1; of one that still goes on, of what is over of it. */
  readonly coverage: number;
  readonly coveredMs: number;
  readonly origin: Origin;
  /** What stands in for gaps, besides what was counted; absent where nothing does. */
  readonly filled?: Filled;
}

export type PeriodFlows = Readonly<Partial<Record<FlowKey, PeriodFlow>>>;

/** A flow that is missing was not known at any moment of it. */
export interface PeriodEnergy {
  readonly period: LocalPeriod;
  readonly flows: PeriodFlows;
}

export interface SumOptions {
  readonly kind: PeriodKind;
  readonly local: LocalTime;
  /** Local periods of which some part lies in it are summed, each as a whole. */
  readonly range: TimeRange;
  /** UTC epoch milliseconds: what lies behind it is not missing. */
  readonly now: number;
  /** Default: gaps stay gaps. */
  readonly filling?: Filling;
}

/**
 * Sums by local day, month or year, one for every period of the range, known or not. `buckets` are in time order and reach over the
 * whole first and last period, and over the edges of a gap there where it is to be filled.
 */
export function sumByPeriod(
  buckets: readonly EnergyBucket[],
  { kind, local, range, now, filling = noFilling }: SumOptions,
): PeriodEnergy[] {
  const filled = [...fillGaps(buckets, filling)].map(([at, flows]) => ({ at, flows })).sort((a, b) => a.at - b.at);
  const counted = new Sweep(buckets);
  const putIn = new Sweep(filled);
  return localPeriods(range, kind, local).map((period) => ({
    period,
    flows: sumOf(counted.of(period), {
      lengthMs: Math.min(now, period.to) - period.from,
      filled: putIn.of(period).map(({ flows }) => flows),
    }),
  }));
}

/** Cuts a list in time order into ranges that follow each other, in one pass: a year by days is many of both. */
class Sweep<T extends { readonly at: number }> {
  readonly #list: readonly T[];
  #index = 0;

  constructor(list: readonly T[]) {
    this.#list = list;
  }

  of({ from, to }: TimeRange): T[] {
    const part: T[] = [];
    for (let next = this.#list[this.#index]; next !== undefined && next.at < to; next = this.#list[++this.#index])
      if (next.at >= from) part.push(next);
    return part;
  }
}

/** The sum of quarters of an hour that belong to a time of `lengthMs`. */
export function sumOf(
  buckets: readonly EnergyBucket[],
  { lengthMs, filled = [] }: { readonly lengthMs: number; readonly filled?: readonly FilledFlows[] },
): PeriodFlows {
  return byFlow((key) => {
    const parts = buckets.map(({ flows }) => flows[key]).filter((part) => part !== undefined);
    const fillings = filled.map((flows) => flows[key]).filter((part) => part !== undefined);
    if (parts.length === 0 && fillings.length === 0) return undefined;
    const coveredMs = total(parts.map((part) => part.coveredMs));
    return {
      wattHours: total(parts.map(({ wattHours }) => wattHours)),
      coverage: lengthMs > 0 ? Math.min(1, coveredMs / lengthMs) : 0,
      coveredMs,
      origin: worstOrigin(...parts.map(({ origin }) => origin)),
      ...(fillings.length > 0 && {
        filled: { wattHours: total(fillings.map(({ wattHours }) => wattHours)), filledMs: total(fillings.map(({ filledMs }) => filledMs)) },
      }),
    };
  });
}

/**
 * Several units together, each counted once; `units` has one list for every unit there should be, in time order. Coverage is the mean of
 * theirs: with one of two units missing all day it is a half.
 */
export function sumOfUnits(units: readonly (readonly EnergyBucket[])[]): EnergyBucket[] {
  const byTime = new Map<number, FlowEnergies[]>();
  const tellers = byFlow(
    (key) => units.filter((buckets) => isOfEveryUnit(key) || buckets.some(({ flows }) => key in flows)).length || undefined,
  );
  for (const buckets of units)
    for (const { at, flows } of buckets) {
      const together = byTime.get(at);
      if (together === undefined) byTime.set(at, [flows]);
      else together.push(flows);
    }
  return [...byTime]
    .sort(([a], [b]) => a - b)
    .map(([at, together]) => ({
      at,
      flows: byFlow((key) => {
        const parts = together.map((flows) => flows[key]).filter((part) => part !== undefined);
        if (parts.length === 0) return undefined;
        return {
          wattHours: total(parts.map(({ wattHours }) => wattHours)),
          coveredMs: total(parts.map(({ coveredMs }) => coveredMs)) / (tellers[key] ?? parts.length),
          origin: worstOrigin(...parts.map(({ origin }) => origin)),
        };
      }),
    }));
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
