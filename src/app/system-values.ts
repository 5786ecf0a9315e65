import { findMetric, type MetricKey } from "../model/metric.ts";
import { originOf, type LinkStatus, type Origin, type Reading, type Value } from "../model/reading.ts";
import type { Phase, SystemTotal, SystemValue } from "../model/system.ts";
import { isParallelUnit, pvPowerOfRecord, pvTotal, pvTotalFrom, type PvTotal } from "../model/pv-total.ts";

/** What is shown of each unit. */
const shown = [
  "operatingMode",
  "faultCode",
  "outputMode",
  "parallelRole",
  "loadActivePower",
  "loadApparentPower",
  "loadPercent",
  "batteryVoltage",
  "batterySoc",
  "batteryCurrent",
  "batteryPower",
  "batteryChargeCurrent",
  "batteryDischargeCurrent",
  "gridVoltage",
  "outputVoltage",
] as const satisfies readonly MetricKey[];

/** What the units' values can be added up for. Each unit tells its own part, so nothing is counted twice. */
export const summed = [
  "loadActivePower",
  "loadApparentPower",
  "pvPower",
  "batteryCurrent",
  "batteryPower",
  "batteryChargeCurrent",
  "batteryDischargeCurrent",
] as const satisfies readonly MetricKey[];

export type MemberValues = Readonly<Record<string, SystemValue>>;

/** One cable with what was heard there. */
export interface Source {
  /** Id of the inverter at the cable. */
  readonly from: string;
  /** Latest readings about the unit in question, one a command. */
  readonly readings: readonly Reading[];
  readonly status: LinkStatus;
}

export interface Freshness {
  /** UTC epoch milliseconds. */
  readonly now: number;
  /** Milliseconds after which a reading of this command no longer counts as live. */
  readonly staleAfterMs: (command: string) => number;
}

/** Factory defaults carry the names of settings without being them. */
const isDefaults = ({ command }: Reading): boolean => command === "QDI";

/** What a unit says at its own cable. */
export function ownValues({ from, readings, status }: Source, freshness: Freshness): MemberValues {
  const own = readings.filter((reading) => !isParallelUnit(reading) && !isDefaults(reading));
  const values = pickNewest(own, { from, status, freshness });
  const pv = pvTotal(own);
  if (pv === undefined) return values;
  const live = own.filter((reading) => pv.commands.includes(reading.command)).every((reading) => isLive(reading, status, freshness));
  return { ...values, pvPower: { value: pv.watts, origin: pv.origin, at: pv.at, command: pv.commands.join("+"), from, live } };
}

/** What another unit's cable says of it (`QPGSn` and its companions). */
export function toldValues({ from, readings, status }: Source, freshness: Freshness): MemberValues {
  const values = pickNewest(readings, { from, status, freshness });
  const pv = readings
    .map((reading) => ({ reading, total: pvOfRecord(reading) }))
    .flatMap(({ reading, total }) => (total === undefined ? [] : [{ reading, total }]))
    .at(-1);
  if (pv === undefined) return values;
  const { reading, total } = pv;
  const live = isLive(reading, status, freshness);
  return {
    ...values,
    pvPower: { value: Math.round(total.watts), origin: total.origin, at: reading.at, command: reading.command, from, live },
  };
}

/** Each record by itself: the halves of two do not make a whole. */
function pvOfRecord({ at, command, values }: Reading): PvTotal | undefined {
  const power = (name: string) => {
    const told = pvPowerOfRecord(values, name);
    return told && { ...told, at, command };
  };
  return pvTotalFrom({ power, tells: (name) => Object.hasOwn(values, name) });
}

/** Of two accounts of one unit the live one counts, of two live ones the first; what neither has live is shown as it was last. */
export function merge(first: MemberValues, second: MemberValues): MemberValues {
  const merged: Record<string, SystemValue> = { ...first };
  for (const [key, value] of Object.entries(second)) {
    const before = merged[key];
    if (before === undefined || (value.live && !before.live) || (value.live === before.live && !value.live && value.at > before.at))
      merged[key] = value;
  }
  return merged;
}

/** True when the unit itself was heard of lately: a setting that was read an hour ago proves nothing. */
export function isHeard(values: MemberValues): boolean {
  return instants(values).some(({ live }) => live);
}

/** UTC epoch milliseconds of the last word of how it was doing; absent when there was none. */
export function lastWord(values: MemberValues): number | undefined {
  const times = instants(values).map(({ at }) => at);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** Sums over what is live; a quantity that no unit tells live has no total. */
export function totalsOf(
  members: readonly MemberValues[],
  quantities: readonly MetricKey[],
  expected: number,
): Record<string, SystemTotal> {
  const totals: Record<string, SystemTotal> = {};
  for (const key of quantities) {
    const parts = members.map((values) => values[key]).filter((part) => part?.live === true && typeof part.value === "number");
    if (parts.length === 0) continue;
    const present = parts.filter((part) => part !== undefined);
    totals[key] = {
      value: roundTo(
        present.reduce((sum, { value }) => sum + Number(value), 0),
        findMetric(key)?.digits ?? 0,
      ),
      origin: worstOf(present),
      at: Math.min(...present.map(({ at }) => at)),
      units: present.length,
      expected,
      complete: present.length === expected,
    };
  }
  return totals;
}

/** The phase of the house that a unit in this mode feeds; absent where all feed the same. */
export function phaseOf(outputMode: Value | undefined): Phase | undefined {
  const number = typeof outputMode === "string" ? /^phase([123])Of/.exec(outputMode)?.[1] : undefined;
  return number === undefined ? undefined : (`L${number}` as Phase);
}

export function isLinkDown({ state }: LinkStatus): boolean {
  return state === "lost" || state === "silent";
}

function pickNewest(
  readings: readonly Reading[],
  { from, status, freshness }: { readonly from: string; readonly status: LinkStatus; readonly freshness: Freshness },
): Record<string, SystemValue> {
  const values: Record<string, SystemValue> = {};
  for (const reading of readings) {
    const live = isLive(reading, status, freshness);
    for (const key of shown) {
      const value = reading.values[key] ?? reading.derived[key];
      if (value === undefined || (values[key]?.at ?? Number.NEGATIVE_INFINITY) >= reading.at) continue;
      values[key] = {
        value,
        origin: originOf(reading, key),
        at: reading.at,
        command: reading.command,
        from,
        live,
      };
    }
  }
  return values;
}

function isLive({ at, command }: Reading, status: LinkStatus, { now, staleAfterMs }: Freshness): boolean {
  return !isLinkDown(status) && now - at <= staleAfterMs(command);
}

function instants(values: MemberValues): SystemValue[] {
  return Object.entries(values).flatMap(([key, value]) => (findMetric(key)?.kind === "instant" ? [value] : []));
}

function worstOf(parts: readonly SystemValue[]): Origin {
  if (parts.some(({ origin }) => origin === "estimated")) return "estimated";
  return parts.length === 1 && parts[0]?.origin === "measured" ? "measured" : "derived";
}

/** Adding 0 turns -0 into 0. */
function roundTo(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits + 0;
}
