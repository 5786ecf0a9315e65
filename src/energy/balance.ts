import { bucketMs, msPerHour, type EnergyBucket, type FlowEnergies, type FlowEnergy, type FlowKey } from "./flow.ts";
import { gridEstimate } from "./powers.ts";

/** The smallest steps in which a unit tells what energy is made of. */
export interface Resolution {
  /** A, of the battery's currents. */
  readonly batteryAmperes: number;
  /** V, of the battery. */
  readonly batteryVolts: number;
  /** W, of each PV input and of the load. */
  readonly watts: number;
}

/** QPIGS and QPGSn: whole amperes and watts; of the battery's two decimals the second is 0 on most units. */
export const pi30Resolution: Resolution = { batteryAmperes: 1, batteryVolts: 0.1, watts: 1 };

/** PV + grid + battery = load + losses over some time, Wh. */
export interface PeriodBalance {
  /** PV, grid and what the battery gave. */
  readonly in: number;
  /** Load, what was fed in and what the battery took. */
  readonly out: number;
  /** `in` - `out`: what the unit lost, as far as the figures are right. */
  readonly losses: number;
  /** What a unit would lose by the shares of the grid estimate. */
  readonly expectedLosses: number;
  /** `losses` - `expectedLosses`: what neither load nor usual losses explain. */
  readonly residual: number;
  /** By how much `losses` may be wrong for the steps of the fields alone, either way. */
  readonly band: number;
  /** Whether the residual is within the band and a twentieth of what went through. */
  readonly fits: boolean;
  /** True where grid power was estimated from this very equation, so that it fits for that part of the time by itself. */
  readonly gridIsEstimated: boolean;
  /** Share of the time in which all of it was known. */
  readonly coverage: number;
}

/** Meters inside such units are some per cent off. */
const meterError = 0.05;

/** A quarter of an hour of which one flow is known for longer than another, by more than this, says nothing of their balance, ms. */
const sameTimeMs = 10_000;

export interface BalanceOptions {
  /** V, of the battery, roughly. */
  readonly volts: number;
  /** How many units are in the sums. */
  readonly units?: number;
  /** Of the whole time, ms; default: that of the buckets. */
  readonly lengthMs?: number;
  readonly resolution?: Resolution;
}

const needed = ["pv", "load", "gridImport", "batteryCharge", "batteryDischarge"] as const satisfies readonly FlowKey[];
type Known = Readonly<Record<(typeof needed)[number], FlowEnergy>>;

/**
 * The balance of the quarters of an hour in which all of it is known; absent where there is none. A unit that does not tell of feeding in is
 * taken not to.
 */
export function balanceOf(
  buckets: readonly EnergyBucket[],
  { volts, units = 1, lengthMs = buckets.length * bucketMs, resolution = pi30Resolution }: BalanceOptions,
): PeriodBalance | undefined {
  const sum = { in: 0, out: 0, expectedLosses: 0, band: 0, hours: 0, gridIsEstimated: false };
  for (const { flows } of buckets) {
    if (!isWhole(flows)) continue;
    const { pv, load, gridImport, batteryCharge, batteryDischarge } = flows;
    const output = load.wattHours + (flows.gridExport?.wattHours ?? 0);
    const hours = load.coveredMs / msPerHour;
    const throughput = batteryCharge.wattHours + batteryDischarge.wattHours;
    const inputs = Math.max(1, [flows.pv1, flows.pv2, flows.pv3].filter((input) => input !== undefined).length);
    sum.in += pv.wattHours + gridImport.wattHours + batteryDischarge.wattHours;
    sum.out += output + batteryCharge.wattHours;
    sum.expectedLosses += expectedLosses(flows, output, units * gridEstimate.ownWatts * hours);
    sum.band += (units * hours * (resolution.batteryAmperes * volts + (inputs + 1) * resolution.watts)) / 2;
    sum.band += (throughput * resolution.batteryVolts) / 2 / volts;
    sum.hours += hours;
    sum.gridIsEstimated ||= gridImport.origin === "estimated";
  }
  if (sum.hours === 0) return undefined;
  const losses = sum.in - sum.out;
  const residual = losses - sum.expectedLosses;
  const { hours, ...rest } = sum;
  return {
    ...rest,
    losses,
    residual,
    fits: Math.abs(residual) <= sum.band + meterError * sum.in,
    coverage: Math.min(1, (hours * msPerHour) / lengthMs),
  };
}

function isWhole(flows: FlowEnergies): flows is FlowEnergies & Known {
  const covered = needed.map((key) => flows[key]?.coveredMs ?? 0);
  return Math.min(...covered) > 0 && Math.max(...covered) - Math.min(...covered) <= sameTimeMs;
}

/** The shares of the grid estimate, applied to a quarter of an hour as a whole, Wh. */
function expectedLosses({ pv, gridImport, batteryCharge, batteryDischarge }: Known, output: number, own: number): number {
  const { pvToBus, batteryToBus, busToOutput, gridToBus } = gridEstimate;
  const bus = pv.wattHours * pvToBus + batteryDischarge.wattHours * batteryToBus - batteryCharge.wattHours / batteryToBus - own;
  const toBus =
    pv.wattHours * (1 - pvToBus) + batteryDischarge.wattHours * (1 - batteryToBus) + batteryCharge.wattHours * (1 / batteryToBus - 1);
  const inverted = Math.max(0, output - gridImport.wattHours);
  // What the bus lacks comes from the grid; else it serves what the grid does not.
  return own + toBus + (bus < 0 && gridImport.wattHours > 0 ? -bus * (1 / gridToBus - 1) : inverted * (1 / busToOutput - 1));
}
