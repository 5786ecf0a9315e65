import { ConfigError } from "../model/errors.ts";
import type { LocalTime } from "../model/local-time.ts";
import { bucketMs, type EnergyBucket } from "./flow.ts";

export const dayKinds = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "holiday"] as const;
export type DayKind = (typeof dayKinds)[number];

/** From `from` to `to`, `HH:MM` on a quarter of an hour; `24:00` is the end of the day; one that ends before it begins goes over midnight. */
export interface Hours {
  readonly from: string;
  readonly to: string;
}

/** A price and when it holds. */
export interface Rate {
  /** For people, e.g. `peak`. */
  readonly name: string;
  /** In the tariff's currency for a kilowatt-hour. */
  readonly perKwh: number;
  /** All days where absent; a holiday is none of the days of the week. */
  readonly days?: readonly DayKind[];
  /** All day where absent. */
  readonly hours?: readonly Hours[];
}

/** A part of the year with rates of its own, both days included; one that ends before it begins goes over New Year. */
export interface Season {
  readonly name: string;
  /** `MM-DD`. */
  readonly from: string;
  readonly to: string;
  /** The first that holds counts. */
  readonly rates: readonly Rate[];
}

/** What electricity costs: flat (one rate), by time of use (several, or seasons), and what is paid for feeding in. */
export interface Tariff {
  /** As it is to be shown, e.g. `ZAR` or `€`. */
  readonly currency: string;
  /** Outside all seasons; the first that holds counts. */
  readonly rates: readonly Rate[];
  /** The first in which a day lies counts. */
  readonly seasons?: readonly Season[];
  /** `YYYY-MM-DD`, or `MM-DD` for every year. */
  readonly holidays?: readonly string[];
  /** Fixed charge of a day. */
  readonly perDay?: number;
  /** Paid for a kilowatt-hour that is fed in; the first that holds counts. Nothing where absent. */
  readonly feedIn?: readonly Rate[];
  /** CO₂ of a kilowatt-hour from the grid, g. */
  readonly gramsPerKwh?: number;
}

/** Amounts in the tariff's currency. */
export interface Bill {
  /** By name of the rate. */
  readonly byRate: Readonly<Record<string, { readonly wattHours: number; readonly amount: number }>>;
  readonly imported: number;
  readonly fedIn: number;
  readonly fixed: number;
  /** What is to be paid: imported + fixed - fed in. */
  readonly cost: number;
  /** What it would be if the whole load came from the grid, at the rates of its own time. */
  readonly allFromGrid: number;
  /** `allFromGrid` - `cost`; negative where the battery was charged for more than it was worth. */
  readonly saving: number;
  /** Of what came from the grid, and what there would be more if all of it did, g; absent without `gramsPerKwh`. */
  readonly grams?: number;
  readonly gramsSaved?: number;
  /** True where grid power is an estimate. */
  readonly estimated: boolean;
  /** Milliseconds for which load and grid are both known; nothing outside them is in the bill. */
  readonly coveredMs: number;
}

/** Checks a tariff as a whole. Throws ConfigError for a time, day or season that is none, and for a moment without a rate. */
export function checkTariff(tariff: Tariff): void {
  const sets = [tariff.rates, ...(tariff.seasons ?? []).map(({ rates }) => rates)];
  for (const rate of [...sets.flat(), ...(tariff.feedIn ?? [])])
    for (const { from, to } of rate.hours ?? [])
      for (const time of [from, to])
        if (Number.isNaN(minuteOf(time))) fail(`rate ${rate.name}: expected a time on a quarter of an hour, 00:00 to 24:00`, time);
  for (const { name, from, to } of tariff.seasons ?? [])
    for (const day of [from, to]) if (!isDay(`2024-${day}`)) fail(`season ${name}: expected a day such as 06-01`, day);
  for (const day of tariff.holidays ?? [])
    if (!isDay(day.length === 5 ? `2024-${day}` : day)) fail("holidays: expected a day such as 2026-12-25 or 12-25", day);
  for (const rates of sets)
    for (const kind of dayKinds)
      for (let minute = 0; minute < 1440; minute += 15)
        if (rateAt(rates, kind, minute) === undefined) fail("expected a rate for every moment, none holds", `${kind} ${timeOf(minute)}`);
}

/** What holds at a moment of the site. */
export class Prices {
  readonly #tariff: Tariff;
  readonly #local: LocalTime;
  readonly #holidays: ReadonlySet<string>;

  constructor(tariff: Tariff, local: LocalTime) {
    this.#tariff = tariff;
    this.#local = local;
    this.#holidays = new Set(tariff.holidays);
  }

  /** `at`: UTC epoch ms. Absent for a moment for which the tariff has no rate. */
  importAt(at: number): Rate | undefined {
    const { date, kind, minute } = this.#momentOf(at);
    const season = this.#tariff.seasons?.find((each) => isWithin(date.slice(5), each.from, each.to));
    return rateAt(season?.rates ?? this.#tariff.rates, kind, minute);
  }

  feedInAt(at: number): Rate | undefined {
    const { kind, minute } = this.#momentOf(at);
    return rateAt(this.#tariff.feedIn ?? [], kind, minute);
  }

  dateAt(at: number): string {
    return this.#local.stamp(at).date;
  }

  #momentOf(at: number): { readonly date: string; readonly kind: DayKind; readonly minute: number } {
    const { date, time } = this.#local.stamp(at);
    const isHoliday = this.#holidays.has(date) || this.#holidays.has(date.slice(5));
    const weekday = dayKinds[(new Date(date).getUTCDay() + 6) % 7] ?? "monday";
    return { date, kind: isHoliday ? "holiday" : weekday, minute: Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5)) };
  }
}

/** The bill of some quarters of an hour; those in which load or grid is not known are not in it. `days`: for the fixed charge; those with a bucket where absent. */
export function billOf(
  buckets: readonly EnergyBucket[],
  tariff: Tariff,
  { local, days }: { readonly local: LocalTime; readonly days?: number },
): Bill {
  const prices = new Prices(tariff, local);
  const byRate: Record<string, { wattHours: number; amount: number }> = {};
  const sum = { imported: 0, fedIn: 0, load: 0, importWattHours: 0, loadWattHours: 0, coveredMs: 0, estimated: false };
  const dates = new Set<string>();
  for (const { at, flows } of buckets) {
    const { load, gridImport, gridExport } = flows;
    if (load === undefined || gridImport === undefined) continue;
    const rate = prices.importAt(at);
    if (rate === undefined) continue;
    dates.add(prices.dateAt(at));
    const amount = (gridImport.wattHours / 1000) * rate.perKwh;
    const line = (byRate[rate.name] ??= { wattHours: 0, amount: 0 });
    line.wattHours += gridImport.wattHours;
    line.amount += amount;
    sum.imported += amount;
    sum.fedIn += ((gridExport?.wattHours ?? 0) / 1000) * (prices.feedInAt(at)?.perKwh ?? 0);
    sum.load += (load.wattHours / 1000) * rate.perKwh;
    sum.importWattHours += gridImport.wattHours;
    sum.loadWattHours += load.wattHours;
    sum.coveredMs += Math.min(load.coveredMs, gridImport.coveredMs, bucketMs);
    sum.estimated ||= gridImport.origin === "estimated";
  }
  const fixed = (days ?? dates.size) * (tariff.perDay ?? 0);
  const cost = sum.imported + fixed - sum.fedIn;
  const allFromGrid = sum.load + fixed;
  const grams = tariff.gramsPerKwh;
  return {
    byRate,
    imported: sum.imported,
    fedIn: sum.fedIn,
    fixed,
    cost,
    allFromGrid,
    saving: allFromGrid - cost,
    ...(grams !== undefined && {
      grams: (sum.importWattHours / 1000) * grams,
      gramsSaved: ((sum.loadWattHours - sum.importWattHours) / 1000) * grams,
    }),
    estimated: sum.estimated,
    coveredMs: sum.coveredMs,
  };
}

function rateAt(rates: readonly Rate[], kind: DayKind, minute: number): Rate | undefined {
  return rates.find(
    ({ days, hours }) =>
      (days === undefined || days.includes(kind)) &&
      (hours === undefined || hours.some(({ from, to }) => isInHours(minute, minuteOf(from), minuteOf(to)))),
  );
}

function isInHours(minute: number, from: number, to: number): boolean {
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

/** Both ends included; text, for `MM-DD` sorts as it should. */
function isWithin(day: string, from: string, to: string): boolean {
  return from <= to ? day >= from && day <= to : day >= from || day <= to;
}

/** NaN for what is no time on a quarter of an hour. */
function minuteOf(time: string): number {
  const [, hours, minutes] = /^(\d{2}):(00|15|30|45)$/.exec(time) ?? [];
  const minute = Number(hours) * 60 + Number(minutes);
  return minute <= 1440 ? minute : Number.NaN;
}

const timeOf = (minute: number): string => new Date(minute * 60_000).toISOString().slice(11, 16);

function isDay(text: string): boolean {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

function fail(expected: string, got: string): never {
  throw new ConfigError(`Tariff: ${expected}, got ${JSON.stringify(got)}`);
}
