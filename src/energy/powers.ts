import type { HistoryRow } from "../model/history.ts";
import { isParallelUnit, pvInputs, pvPowerOfRecord, pvTotalFrom, type PvPart } from "../model/pv-total.ts";
import type { Origin } from "../model/reading.ts";
import { worstOrigin, type FlowPower, type FlowPowers } from "./flow.ts";

/** One answer of a unit, as history keeps it. */
export type Answer = Pick<HistoryRow, "at" | "command" | "values" | "origins">;

/**
 * How grid power is estimated where the unit does not measure it, which is almost every PI30 unit: what load and battery take
 * and sun and battery do not give. The shares are those of the makers' leaflets (PV tracker 98 %, battery to output about
 * 92 to 93 %, grid to battery about 92 %), split over the stages that such a unit has around its internal bus. A unit of your
 * own may be a few per cent better or worse: the figure is an estimate and is marked as one.
 */
export const gridEstimate = {
  /** Share that arrives. */
  pvToBus: 0.98,
  /** Either way. */
  batteryToBus: 0.97,
  busToOutput: 0.95,
  gridToBus: 0.95,
  /** What the unit takes for itself while it works, W: between the 40 and 70 W that 3 to 8 kW units are said to take. */
  ownWatts: 55,
} as const;

/** What is read here, besides the powers, volts and amperes of the PV inputs. */
const otherNames = [
  "pvPower",
  "loadActivePower",
  "l2LoadActivePower",
  "batteryVoltage",
  "batteryChargeCurrent",
  "batteryDischargeCurrent",
  "gridVoltage",
  "operatingMode",
  "solarFeedPower",
  "deviceStatus",
  "unitStatus",
  "unitExists",
] as const;

/** Names of all values that powers are made of. */
export const powerNames: ReadonlySet<string> = new Set([
  ...pvInputs.flatMap((input) => [`${input}Power`, `${input}Voltage`, `${input}Current`]),
  ...otherNames,
]);

/** Modes in which a unit with grid at its input may draw from it. */
const gridModes: ReadonlySet<unknown> = new Set(["line", "bypass", "eco", "charge", "standby", "powerOn"]);

/**
 * The powers of one unit at one moment, from its answers of that moment: its own (`QPIGS`, `QPIGS2`, `QMOD`) or a record of it
 * that another unit gives (`QPGSn`, `QP2GSn`, `Q2PGSn`); of two that tell the same, the first counts. `isTold`: whether the unit tells
 * a name when all its answers are there, so that a missing answer makes a sum unknown and not smaller.
 */
export function powersOf(answers: readonly Answer[], isTold: (name: string) => boolean = never): FlowPowers {
  const moment = new Moment(answers, isTold);
  const powers: { -readonly [Key in keyof FlowPowers]: FlowPowers[Key] } = {};
  const pv = moment.pv();
  if (pv !== undefined) powers.pv = pv;
  for (const input of pvInputs) {
    const part = moment.pvPower(`${input}Power`);
    if (part !== undefined) powers[input] = flow(part.watts, part.origin);
  }
  const load = moment.load();
  if (load !== undefined) powers.load = load;
  const { charge, discharge } = moment.battery();
  if (charge !== undefined) powers.batteryCharge = charge;
  if (discharge !== undefined) powers.batteryDischarge = discharge;
  const fed = moment.number("solarFeedPower");
  if (fed !== undefined) powers.gridExport = flow(fed.value, fed.origin);
  const grid = moment.isOffGrid() ? flow(0, "derived") : moment.mayDraw() ? estimateGrid(powers) : undefined;
  if (grid !== undefined) powers.gridImport = grid;
  return powers;
}

/** A unit that does not tell of feeding in is taken not to. */
function estimateGrid({ pv, load, batteryCharge, batteryDischarge, gridExport }: FlowPowers): FlowPower | undefined {
  if (pv === undefined || load === undefined || batteryCharge === undefined || batteryDischarge === undefined) return undefined;
  const { pvToBus, batteryToBus, busToOutput, gridToBus, ownWatts } = gridEstimate;
  const bus = pv.watts * pvToBus + batteryDischarge.watts * batteryToBus - batteryCharge.watts / batteryToBus - ownWatts;
  const output = load.watts + (gridExport?.watts ?? 0);
  return flow(bus >= 0 ? output - bus * busToOutput : output - bus / gridToBus, "estimated");
}

/** What a unit says at one moment. */
class Moment {
  readonly #answers: readonly Answer[];
  /** Own answers and records of a unit never come together. */
  readonly #isRecord: boolean;
  readonly #isTold: (name: string) => boolean;

  constructor(answers: readonly Answer[], isTold: (name: string) => boolean) {
    this.#answers = answers;
    this.#isRecord = answers.some(isParallelUnit);
    this.#isTold = isTold;
  }

  number(name: string): { readonly value: number; readonly origin: Origin } | undefined {
    for (const { values, origins } of this.#answers) {
      const value = values[name];
      if (typeof value === "number") return { value, origin: origins?.[name] ?? "measured" };
    }
    return undefined;
  }

  pvPower(name: string): PvPart | undefined {
    for (const { at, command, values, origins } of this.#answers) {
      const told = this.#isRecord ? pvPowerOfRecord(values, name) : measured(values[name]);
      if (told !== undefined) return { at, command, watts: told.watts, origin: worstOrigin(told.origin, origins?.[name] ?? "measured") };
    }
    return undefined;
  }

  pv(): FlowPower | undefined {
    const total = pvTotalFrom({ power: (name) => this.pvPower(name), tells: (name) => this.#tells(name) });
    return total && flow(total.watts, total.origin);
  }

  /** Both phases of a unit that has two. */
  load(): FlowPower | undefined {
    const first = this.number("loadActivePower");
    const second = this.number("l2LoadActivePower");
    if (first === undefined || (second === undefined && this.#tells("l2LoadActivePower"))) return undefined;
    if (second === undefined) return flow(first.value, first.origin);
    return flow(first.value + second.value, worstOrigin("derived", first.origin, second.origin));
  }

  /** At the battery's terminals; the two currents never count against each other twice. */
  battery(): { readonly charge?: FlowPower; readonly discharge?: FlowPower } {
    const volts = this.number("batteryVoltage");
    const into = this.number("batteryChargeCurrent");
    const out = this.number("batteryDischargeCurrent");
    if (volts === undefined || into === undefined) return {};
    const origin = worstOrigin("derived", volts.origin, into.origin, out?.origin ?? "derived");
    // A unit that tells the current of one direction only says nothing of the other.
    if (out === undefined) return { charge: flow(volts.value * into.value, origin) };
    const watts = volts.value * (into.value - out.value);
    return { charge: flow(watts, origin), discharge: flow(-watts, origin) };
  }

  /** Without grid at the input there is no power from it; off the grid neither, unless the unit says that it charges from there. */
  isOffGrid(): boolean {
    return this.number("gridVoltage")?.value === 0 || (this.#mode() === "battery" && !this.#chargesFromGrid());
  }

  mayDraw(): boolean {
    const mode = this.#mode();
    return gridModes.has(mode) || (mode === "battery" && this.#chargesFromGrid());
  }

  #mode(): unknown {
    return this.#answers.find(({ values }) => Object.hasOwn(values, "operatingMode"))?.values["operatingMode"];
  }

  #chargesFromGrid(): boolean {
    return this.#answers.some(({ values }) =>
      ["deviceStatus", "unitStatus"].some((name) => {
        const flags: unknown = values[name];
        return Array.isArray(flags) && flags.includes("acCharging");
      }),
    );
  }

  #tells(name: string): boolean {
    return this.#isTold(name) || this.#answers.some(({ values }) => Object.hasOwn(values, name));
  }
}

function measured(watts: unknown): { readonly watts: number; readonly origin: Origin } | undefined {
  return typeof watts === "number" ? { watts, origin: "measured" } : undefined;
}

const never = (): boolean => false;

/** Adding 0 turns -0 into 0. */
function flow(watts: number, origin: Origin): FlowPower {
  return { watts: Math.max(0, watts) + 0, origin };
}
