import { RefusedError } from "./errors.ts";
import type { TimeRange } from "./history.ts";
import type { LocalTime } from "./local-time.ts";

/** What energy is summed over, on the site's own calendar. */
export const periodKinds = ["day", "month", "year"] as const;
export type PeriodKind = (typeof periodKinds)[number];

/** A day, month or year of the site: from its first moment to that of the next one. A day of a clock change has 23 or 25 hours. */
export interface LocalPeriod extends TimeRange {
  readonly kind: PeriodKind;
  /** `2026-10-25`, `2026-10`, `2026`. */
  readonly key: string;
}

const keyLength: Readonly<Record<PeriodKind, number>> = { day: 10, month: 7, year: 4 };

/** The period in which `at` (UTC epoch ms) lies. */
export function localPeriodAt(at: number, kind: PeriodKind, local: LocalTime): LocalPeriod {
  return periodOf(local.stamp(at).date.slice(0, keyLength[kind]), kind, local);
}

/** The period with this key. Throws RefusedError for a key that is none, such as `2026-13`. */
export function localPeriodOf(key: string, local: LocalTime): LocalPeriod {
  const kind = periodKinds.find((each) => keyLength[each] === key.length);
  if (kind === undefined || !/^\d{4}(-\d{2}){0,2}$/.test(key) || isoDate(Date.parse(firstDay(key))) !== firstDay(key))
    throw new RefusedError(
      "value-invalid",
      `Expected a day, month or year such as 2026-01-31, 2026-01 or 2026, got ${JSON.stringify(key)}`,
    );
  return periodOf(key, kind, local);
}

/** Every period of which some part lies in the range, in time order. A day that a place left out of its calendar is not there. */
export function localPeriods({ from, to }: TimeRange, kind: PeriodKind, local: LocalTime): LocalPeriod[] {
  const periods: LocalPeriod[] = [];
  if (!(from < to)) return periods;
  for (let period = localPeriodAt(from, kind, local); period.from < to; period = localPeriodAt(period.to, kind, local))
    periods.push(period);
  return periods;
}

function periodOf(key: string, kind: PeriodKind, local: LocalTime): LocalPeriod {
  const first = firstDay(key);
  return { kind, key, from: local.at(first, "00:00"), to: local.at(dayAfter(first, kind), "00:00") };
}

/** The first day of the period after the one that begins with `first`. */
function dayAfter(first: string, kind: PeriodKind): string {
  const [year = 0, month = 1, day = 1] = first.split("-").map(Number);
  if (kind === "year") return isoDate(Date.UTC(year + 1, 0, 1));
  return isoDate(kind === "month" ? Date.UTC(year, month, 1) : Date.UTC(year, month - 1, day + 1));
}

const firstDay = (key: string): string => key + "-01-01".slice(key.length - keyLength.year);

function isoDate(at: number): string {
  return Number.isNaN(at) ? "" : new Date(at).toISOString().slice(0, 10);
}
