import { RefusedError } from "../../../model/errors.ts";
import { localPeriodAt, localPeriodOf } from "../../../model/local-periods.ts";
import type { LocalTime } from "../../../model/local-time.ts";

export interface MomentOptions {
  /** The site's clock, by which times without a zone are meant. */
  readonly local: LocalTime;
  /** UTC epoch ms. */
  readonly now: number;
  /** Which end of a day, month or year is meant by it. */
  readonly edge: "start" | "end";
}

const backMs: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };
const clock = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?(Z|[+-]\d{2}:\d{2})?$/;

/** The forms that `momentOf` takes, for people. */
export const momentForms =
  "a day, month or year (2026-06-01, 2026-06, 2026), a time of the site (2026-06-01T06:30), one with its zone (2026-06-01T06:30:00+02:00), " +
  "UTC milliseconds, one before now (-90min, -24h, -7d), now, today or yesterday";

/** UTC epoch ms of a moment as people write it. Throws RefusedError for what is none. */
export function momentOf(text: string, options: MomentOptions): number {
  const at = knownMoment(text, options);
  if (Number.isNaN(at)) throw new RefusedError("value-invalid", `expected ${momentForms}, got ${JSON.stringify(text)}`);
  return at;
}

function knownMoment(text: string, { local, now, edge }: MomentOptions): number {
  const today = localPeriodAt(now, "day", local);
  const end = (period: { readonly from: number; readonly to: number }): number => (edge === "start" ? period.from : period.to);
  if (text === "now") return now;
  if (text === "today") return end(today);
  if (text === "yesterday") return end(localPeriodAt(today.from - 1, "day", local));
  if (/^\d{12,14}$/.test(text)) return Number(text);
  if (/^\d{4}(?:-\d{2}){0,2}$/.test(text)) return end(localPeriodOf(text, local));
  const back = /^-(\d{1,6})(s|min|h|d|w)$/.exec(text);
  if (back !== null) return now - Number(back[1]) * (backMs[back[2] ?? ""] ?? Number.NaN);
  const match = clock.exec(text);
  if (match === null) return Number.NaN;
  const [, date = "", minutes = "", seconds = "00", fraction = "", zone] = match;
  if (!isDate(date)) return Number.NaN;
  const time = `${minutes}:${seconds}`;
  const whole = zone === undefined ? local.at(date, time) : Date.parse(`${date}T${time}${zone}`);
  return whole + Number(fraction.padEnd(3, "0"));
}

/** `2026-02-30` is none, which `Date.parse` takes for a day in March. */
function isDate(date: string): boolean {
  const at = Date.parse(`${date}T00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(date);
}
