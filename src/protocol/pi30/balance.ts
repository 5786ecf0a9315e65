import type { BalanceVerdict } from "../../model/balance.ts";
import { pvTotalFrom } from "../../model/pv-total.ts";
import type { Value, Values } from "../../model/reading.ts";

/** What a unit has told at about the same time. */
export interface BalanceInput {
  /** Values and derived values of QPIGS, in the words of the family. */
  readonly status: Values;
  /** The same of QPIGS2; absent where it was not answered lately. */
  readonly second?: Values | undefined;
  /** True for a unit that answers QPIGS2: without it a PV input may be missing. */
  readonly hasSecond: boolean;
  /** Of QMOD; absent where it was not answered lately. */
  readonly mode?: Value | undefined;
  /** VA, of QPIRI. */
  readonly ratedApparentPower?: Value | undefined;
}

/** Where the rating is not known. */
const usualRating = 5000;
/** The most a unit takes for itself, W: a fixed part, and one that grows with its rating. */
const ownWatts = 40;
const ownShareOfRating = 0.01;
/** The most that its converters lose of what goes through them: sun to bus, bus to battery, bus to output. */
const mostLost = 0.15;
/** Error of the power readings themselves, of their sum. */
const meterError = 0.04;
/**
 * The currents of the battery are whole amperes, and small ones are shown as 0: MAX II and EASUN captures (notes §8.8) lack
 * 120 to 270 W that way. A large unit has the larger shunt.
 */
const ampereError = 1;
const voltAmperesPerAmpere = 4000;
/** A load of small devices shows fewer watts than it takes. */
const mostHiddenWatts = 100;

/**
 * Whether what flows into a unit is what flows out of it. Grid power is measured by no PI30 unit. So off the grid both
 * sides are known, within what its converters lose; on the grid only this: what the battery takes and the grid does not
 * give must come from PV, and where nothing is fed in, PV cannot give more than is used.
 */
export function balanceOf(input: BalanceInput): BalanceVerdict {
  const { status, second, hasSecond, mode } = input;
  if (mode === undefined) return untold("the operating mode is not known");
  if (mode !== "battery" && mode !== "line") return untold(`there is nothing to check in mode ${String(mode)}`);
  if (hasSecond && second === undefined) return untold("the second status was not answered lately");
  const pv = pvOf(status, second);
  if (pv === undefined) return untold("the power of a PV input is not known");
  const load = sumOf([status["loadActivePower"], second?.["l2LoadActivePower"]]);
  if (load === undefined) return untold("the load is not told");
  const [battery, volts] = [status["batteryPower"], status["batteryVoltage"]];
  if (typeof battery !== "number" || typeof volts !== "number") return untold("the current of the battery is not told");

  const rating = typeof input.ratedApparentPower === "number" ? input.ratedApparentPower : usualRating;
  const tolerance = volts * (ampereError + rating / voltAmperesPerAmpere) + meterError * (pv + load + Math.abs(battery));
  const source = pv + Math.max(0, battery);
  const losses = ownWatts + ownShareOfRating * rating + mostLost * Math.max(source, load);
  const apparent = sumOf([status["loadApparentPower"], second?.["l2LoadApparentPower"]]) ?? load;
  const used = Math.max(load, Math.min(apparent, load + mostHiddenWatts));
  const [least, most] = [load, used + losses];
  if (mode === "battery") return within(pv + battery, [least, most], tolerance);

  const fromGrid = acChargeOf(status, second);
  const isFeedKnown = status["solarFeedToGrid"] === false;
  if (fromGrid === undefined && !isFeedKnown) return untold("grid power is not measured, and the grid may charge the battery");
  // On the grid the load may be served from there.
  const lower = fromGrid === undefined ? Number.NEGATIVE_INFINITY : -fromGrid;
  return within(pv + battery, [lower, isFeedKnown ? most : Number.POSITIVE_INFINITY], tolerance);
}

function within(watts: number, [least, most]: readonly [number, number], tolerance: number): BalanceVerdict {
  const by = watts < least ? watts - least : watts > most ? watts - most : 0;
  if (Math.abs(by) <= tolerance) return { kind: "balanced" };
  return { kind: "unbalanced", watts: Math.round(by), toleranceWatts: Math.round(tolerance) };
}

/** W of all inputs; absent where one of them shows volts or amperes and no watts. */
function pvOf(status: Values, second: Values = {}): number | undefined {
  const all = { ...status, ...second };
  const power = (name: string) => {
    const watts = all[name];
    return typeof watts === "number" ? ({ watts, origin: "measured", at: 0, command: "" } as const) : undefined;
  };
  return pvTotalFrom({ power, tells: (name) => Object.hasOwn(all, name) })?.watts;
}

/** W at the battery that come from the grid; absent where that is not told. */
function acChargeOf(status: Values, second: Values = {}): number | undefined {
  if (typeof second["acChargePower"] === "number") return second["acChargePower"];
  const flags = status["deviceStatus"];
  if (!Array.isArray(flags)) return undefined;
  const words: readonly unknown[] = flags;
  // "Charging" alone says nothing about the source.
  return words.includes("acCharging") || (words.includes("charging") && !words.includes("solarCharging")) ? undefined : 0;
}

function sumOf(values: readonly (Value | undefined)[]): number | undefined {
  const [first] = values;
  if (typeof first !== "number") return undefined;
  return values.reduce<number>((sum, value) => sum + (typeof value === "number" ? value : 0), 0);
}

function untold(because: string): BalanceVerdict {
  return { kind: "untold", because };
}
