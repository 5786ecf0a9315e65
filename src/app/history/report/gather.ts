import type { FlowKey } from "../../../energy/flow.ts";
import { followCounter, unfollowed, type Followed } from "../../../energy/reconcile.ts";
import { momentaryPeak, type Peak } from "../../../energy/statistics.ts";
import { RefusedError } from "../../../model/errors.ts";
import type { Bucket, TimeRange } from "../../../model/history.ts";
import type { LocalPeriod } from "../../../model/local-periods.ts";
import type { LocalTime } from "../../../model/local-time.ts";
import type { MetricKey } from "../../../model/metric.ts";
import type { Values } from "../../../model/reading.ts";
import type { HistoryContents } from "../../../store/ports.ts";
import type { StoreReader } from "../../../store/reader.ts";
import type { EnergyConfig } from "../../energy-config.ts";
import { readEnergy } from "../energy-reader.ts";
import type { EnergyPace } from "../energy-recount.ts";
import type { Figure, ReportInput } from "./report.ts";

export interface GatherOptions {
  readonly period: LocalPeriod;
  readonly local: LocalTime;
  readonly now: number;
  readonly pace: EnergyPace;
  readonly energy: EnergyConfig;
  readonly signal: AbortSignal;
}

const hourMs = 3_600_000;

/** Reads what a report of a period needs. */
export async function gatherReport(reader: StoreReader, options: GatherOptions): Promise<ReportInput> {
  const { period, local, now, pace, energy: config, signal } = options;
  const range = { from: period.from, to: Math.max(period.from + 1, Math.min(now, period.to)) };
  const around = { from: range.from - config.fillUpTo, to: Math.min(now, range.to + config.fillUpTo) };
  const energy = await readEnergy(reader, config.fill === "none" || around.from >= around.to ? range : around, { pace, signal });
  const contents = await reader.contents();
  const course = async (inverter: string, name: MetricKey, command?: string): Promise<readonly Bucket[]> =>
    await courseOf(reader, { ...range, inverter, name, ...(command !== undefined && { command }) }, signal);
  const highest: Record<string, Peak> = {};
  const counters: Record<string, Values> = {};
  const voltages: Bucket[] = [];
  for (const { unit } of energy) {
    const peak = momentaryPeak(await course(unit, "loadActivePower", "QPIGS"));
    if (peak !== undefined) highest[unit] = peak;
    voltages.push(...(await course(unit, "batteryVoltage", "QPIGS")));
    counters[unit] = await countersOf(reader, { unit, contents, period, range, signal });
  }
  const batteryVolts = meanOf(voltages);
  return {
    period,
    local,
    now,
    energy,
    counters,
    highest,
    events: await reader.events({ ...range, kinds: ["fault", "warning", "link"] }, { signal }),
    ...(batteryVolts !== undefined && { batteryVolts }),
    capacityWh: await capacityOf(config, async () => {
      for (const { unit } of energy) {
        const rated = (await course(unit, "ratedBatteryVoltage")).at(-1)?.max;
        if (rated !== undefined && rated > 0) return rated;
      }
      return undefined;
    }),
    ...(config.tariff && { tariff: config.tariff }),
    ...(config.gramsPerKwh !== undefined && { gramsPerKwh: config.gramsPerKwh }),
    neverFeedsIn: config.neverFeedsIn,
    filling: { method: config.fill, longestMs: config.fillUpTo },
  };
}

/** Nothing where history has no such series. */
async function courseOf(
  reader: StoreReader,
  query: TimeRange & { readonly inverter: string; readonly name: string; readonly command?: string },
  signal: AbortSignal,
): Promise<readonly Bucket[]> {
  try {
    return (await reader.series(query, { signal })).buckets;
  } catch (error) {
    if (error instanceof RefusedError && (error.code === "series-unknown" || error.code === "inverter-unknown")) return [];
    throw error;
  }
}

function meanOf(buckets: readonly Bucket[]): number | undefined {
  const covered = buckets.reduce((sum, { coveredMs }) => sum + coveredMs, 0);
  return covered === 0 ? undefined : buckets.reduce((sum, { mean, coveredMs }) => sum + mean * coveredMs, 0) / covered;
}

async function capacityOf({ battery }: EnergyConfig, ratedVolts: () => Promise<number | undefined>): Promise<Figure<number>> {
  const { capacityAh, capacityWh } = battery;
  if (capacityWh !== undefined) return capacityWh;
  if (capacityAh === undefined) return { unknown: "the battery's capacity is not configured (energy.battery)" };
  const volts = await ratedVolts();
  return volts === undefined
    ? { unknown: "the battery's rated voltage was not read; energy.battery.capacityWh needs none" }
    : capacityAh * volts;
}

/** The flows whose total a unit may count itself. */
const counted = {
  pv: { total: "pvEnergyTotal", day: "pvEnergyOfDay", month: "pvEnergyOfMonth", year: "pvEnergyOfYear" },
  load: { total: "loadEnergyTotal", day: "loadEnergyOfDay", month: "loadEnergyOfMonth", year: "loadEnergyOfYear" },
} as const satisfies Partial<Record<FlowKey, Readonly<Record<"total" | LocalPeriod["kind"], MetricKey>>>>;

/** By how much the unit's totals have grown in the period, under the names of its counters of such a period. */
async function countersOf(
  reader: StoreReader,
  {
    unit,
    contents,
    period,
    range,
    signal,
  }: {
    readonly unit: string;
    readonly contents: readonly HistoryContents[];
    readonly period: LocalPeriod;
    readonly range: TimeRange;
    readonly signal: AbortSignal;
  },
): Promise<Values> {
  const told: Record<string, number> = {};
  for (const names of Object.values(counted)) {
    if (!contents.some(({ inverter, names: own }) => inverter === unit && own.some(({ name }) => name === names.total))) continue;
    const buckets = await courseOf(reader, { ...range, inverter: unit, name: names.total }, signal);
    const [first, last] = [buckets[0], buckets.at(-1)];
    // What it has counted before the first and behind the last reading is not known.
    if (first === undefined || last === undefined || first.at > range.from + hourMs || last.at < range.to - 2 * hourMs) continue;
    let followed: Followed = followCounter(unfollowed, { at: first.at - 1, wattHours: first.min });
    for (const { at, max } of buckets) followed = followCounter(followed, { at, wattHours: max });
    told[names[period.kind]] = followed.wattHours;
  }
  return told;
}
