import type { MetricKey } from "../model/metric.ts";
import type { Values } from "../model/reading.ts";
import type { PeriodKind } from "../model/local-periods.ts";
import type { FlowKey } from "./flow.ts";
import type { PeriodEnergy, PeriodFlow } from "./sums.ts";

/** Which of our flows a counter of the unit counts, and since when: `total` since the unit was made or its counters were erased. */
const unitCounters = {
  pvEnergyTotal: { flow: "pv", since: "total" },
  pvEnergyOfYear: { flow: "pv", since: "year" },
  pvEnergyOfMonth: { flow: "pv", since: "month" },
  pvEnergyOfDay: { flow: "pv", since: "day" },
  loadEnergyTotal: { flow: "load", since: "total" },
  loadEnergyOfYear: { flow: "load", since: "year" },
  loadEnergyOfMonth: { flow: "load", since: "month" },
  loadEnergyOfDay: { flow: "load", since: "day" },
} as const satisfies Partial<Record<MetricKey, { readonly flow: FlowKey; readonly since: PeriodKind | "total" }>>;

/** A counter of the unit as it was read. */
export interface CounterReading {
  /** UTC epoch milliseconds. */
  readonly at: number;
  readonly wattHours: number;
}

/** What a counter of the unit has counted; plain data, to be kept over a restart. */
export interface Followed {
  /** Wh since it was first read; never decreases. */
  readonly wattHours: number;
  /** The latest reading that was believed. */
  readonly last?: CounterReading;
  /** Lower readings that stand since then and may be a new beginning. */
  readonly lower?: { readonly first: CounterReading; readonly latest: CounterReading; readonly readings: number };
  /** Times it went back and came again, and times it began anew. */
  readonly dips: number;
  readonly resets: number;
}

export const unfollowed: Followed = { wattHours: 0, dips: 0, resets: 0 };

/** A lower reading is a new beginning once so many stand, over so long, and it is so far down; anything else is a dip. */
const resetRule = { readings: 3, standsMs: 300_000, below: 0.5 } as const;

/**
 * Follows a counter of the unit. One that shows less than before is not believed: a dip passes, and what was counted meanwhile
 * is there when it has come again; one that has begun anew, and stays under half of what it was, counts from there on. No power that
 * the unit cannot have (`mostWatts`) is counted either: a leap is taken as a mistake until the counter is back.
 */
export function followCounter(
  state: Followed,
  reading: CounterReading,
  { mostWatts = Infinity }: { readonly mostWatts?: number } = {},
): Followed {
  const { last, lower, wattHours, dips, resets } = state;
  if (last === undefined) return { ...state, last: reading };
  if (reading.at <= (lower?.latest.at ?? last.at)) return state;
  const isPossible = (from: CounterReading): boolean =>
    // One watt-hour of slack, for counters are whole ones.
    reading.wattHours - from.wattHours <= 1 + (mostWatts * (reading.at - from.at)) / 3_600_000;
  if (reading.wattHours >= last.wattHours) {
    if (!isPossible(last)) return state;
    return { wattHours: wattHours + reading.wattHours - last.wattHours, last: reading, dips: dips + (lower === undefined ? 0 : 1), resets };
  }
  const goesOn = lower !== undefined && reading.wattHours >= lower.latest.wattHours && isPossible(lower.latest);
  const stands = goesOn
    ? { first: lower.first, latest: reading, readings: lower.readings + 1 }
    : { first: reading, latest: reading, readings: 1 };
  const isNewBeginning =
    stands.readings >= resetRule.readings &&
    reading.at - stands.first.at >= resetRule.standsMs &&
    reading.wattHours < resetRule.below * last.wattHours;
  if (!isNewBeginning) return { ...state, lower: stands };
  // From zero on, as far as the unit can have given that much since the last reading that was believed.
  const since = isPossible({ at: last.at, wattHours: 0 }) ? reading.wattHours : reading.wattHours - stands.first.wattHours;
  return { wattHours: wattHours + since, last: reading, dips, resets: resets + 1 };
}

/** The unit's count beside ours. */
export interface Comparison {
  readonly ours: PeriodFlow;
  /** Wh by the unit's own counter. */
  readonly unitWattHours: number;
  /** Wh by which ours is more; negative: less. What was put in for gaps is not in it. */
  readonly differenceWattHours: number;
  /** The same as a share of the unit's; absent where the unit has counted nothing. */
  readonly difference?: number;
  /** False where part of the period is missing of ours, so that the difference says little. */
  readonly comparable: boolean;
}

/** A gap of a hundredth of the time matters less than what the counters differ by anyway. */
const leastCoverage = 0.99;

/** The unit's counters of a day, month or year, by their names as they were believed last, beside ours. What is not known of both is not there. */
export function reconcile({ period, flows }: PeriodEnergy, told: Values): Readonly<Partial<Record<FlowKey, Comparison>>> {
  const comparisons: Partial<Record<FlowKey, Comparison>> = {};
  for (const [name, { flow, since }] of Object.entries(unitCounters)) {
    const [ours, theirs] = [flows[flow], told[name]];
    if (since === period.kind && ours !== undefined && typeof theirs === "number") comparisons[flow] = compare(ours, theirs);
  }
  return comparisons;
}

/** Both counts of one period. The unit's day follows the unit's clock: where that is off, both ends of the day differ by as much. */
function compare(ours: PeriodFlow, unitWattHours: number): Comparison {
  const differenceWattHours = ours.wattHours - unitWattHours;
  return {
    ours,
    unitWattHours,
    differenceWattHours,
    ...(unitWattHours > 0 && { difference: differenceWattHours / unitWattHours }),
    comparable: ours.coverage >= leastCoverage,
  };
}
