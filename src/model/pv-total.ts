import { originOf, type Origin, type Reading, type Values } from "./reading.ts";

/** PV inputs of a unit; each tells `…Power`, `…Voltage` and `…Current` as far as the unit knows them. */
export const pvInputs = ["pv1", "pv2", "pv3"] as const;
export type PvInput = (typeof pvInputs)[number];

/** PV power of all inputs of one inverter, which may come from more than one command. */
export interface PvTotal {
  /** W, never negative. */
  readonly watts: number;
  readonly origin: Origin;
  /** UTC epoch milliseconds of the oldest reading it is made of. */
  readonly at: number;
  /** The commands it is made of; it is stale as soon as one of them is. */
  readonly commands: readonly string[];
}

/** What one answer says of one power. */
export interface PvPart {
  readonly watts: number;
  readonly origin: Origin;
  readonly at: number;
  readonly command: string;
}

/** Where the newest word on a value is looked up. */
export interface PvSource {
  power(name: string): PvPart | undefined;
  /** Whether the unit says anything under this name. */
  tells(name: string): boolean;
}

/**
 * PV power of all inputs together. A total the inverter sends itself wins; otherwise the inputs are added up, each once, so
 * the result is as old as the oldest of them. An input that shows volts or amperes and no watts makes the total unknown.
 */
export function pvTotalFrom(source: PvSource): PvTotal | undefined {
  const sent = source.power("pvPower");
  const there = pvInputs.filter((input) => ["Power", "Voltage", "Current"].some((what) => source.tells(input + what)));
  const parts = (sent === undefined ? there.map((input) => source.power(`${input}Power`)) : [sent]).filter((part) => part !== undefined);
  if (parts.length === 0 || (sent === undefined && parts.length < there.length)) return undefined;
  return {
    watts: parts.reduce((sum, part) => sum + part.watts, 0),
    origin: originOfSum(parts),
    at: Math.min(...parts.map(({ at }) => at)),
    commands: [...new Set(parts.map(({ command }) => command))],
  };
}

/** The same from an inverter's latest readings. */
export function pvTotal(readings: Iterable<Reading>): PvTotal | undefined {
  const own = [...readings].filter((reading) => !isParallelUnit(reading));
  return pvTotalFrom({
    power: (name) => newest(own, name),
    tells: (name) => own.some(({ values, derived }) => Object.hasOwn(values, name) || Object.hasOwn(derived, name)),
  });
}

/** Answers about a numbered unit of a parallel set repeat the names of the inverter's own values and must not be mixed with them. */
export function isParallelUnit({ values }: { readonly values: Values }): boolean {
  return Object.hasOwn(values, "unitExists");
}

/**
 * A PV power, by the name of its metric, as a record of a parallel unit tells it. A record of 29 fields carries volts and
 * whole amperes of both inputs, panel side: good for an estimate. The single current of a shorter one does not say which
 * side it is on, so nothing is made of it.
 */
export function pvPowerOfRecord(values: Values, name: string): { readonly watts: number; readonly origin: Origin } | undefined {
  const number = (key: string): number | undefined => (typeof values[key] === "number" ? values[key] : undefined);
  const sent = number(name);
  if (sent !== undefined) return { watts: sent, origin: "measured" };
  const ofInput = (input: PvInput): number | undefined => {
    const [volts, amperes] = [number(`${input}Voltage`), number(`${input}Current`)];
    return volts === undefined || amperes === undefined ? undefined : volts * amperes;
  };
  const input = (["pv1", "pv2"] as const).find((each) => name === `${each}Power`);
  if (input === undefined || ofInput("pv1") === undefined || ofInput("pv2") === undefined) return undefined;
  return { watts: ofInput(input) ?? 0, origin: "estimated" };
}

function originOfSum(parts: readonly PvPart[]): Origin {
  if (parts.some(({ origin }) => origin === "estimated")) return "estimated";
  return parts.length === 1 && parts[0]?.origin === "measured" ? "measured" : "derived";
}

function newest(readings: readonly Reading[], name: string): PvPart | undefined {
  let best: PvPart | undefined;
  for (const reading of readings) {
    const watts = reading.values[name] ?? reading.derived[name];
    if (typeof watts === "number" && (best === undefined || reading.at > best.at))
      best = { watts, origin: originOf(reading, name), at: reading.at, command: reading.command };
  }
  return best;
}
