import { ConfigError } from "../../model/errors.ts";
import { LocalTime } from "../../model/local-time.ts";
import { durationMs, durationPattern } from "../duration.ts";

const DAY_MS = 86_400_000;

/**
 * When something ends, as typed: `06:00` is the next six o'clock of the site, `2026-01-31T06:00` a time of the site,
 * with `Z` or `+02:00` behind it a time of that zone. UTC epoch ms. Throws ConfigError.
 */
export function timeFromText(text: string, { now, timeZone }: { readonly now: number; readonly timeZone: string }): number {
  const local = LocalTime.of(timeZone);
  const clock = /^(\d{1,2}):(\d{2})$/.exec(text.trim());
  if (clock !== null) {
    const time = `${(clock[1] ?? "").padStart(2, "0")}:${clock[2]}`;
    const { date } = local.stamp(now);
    const tomorrow = new Date(Date.parse(date) + DAY_MS).toISOString().slice(0, 10);
    const today = local.at(date, time);
    const found = today > now ? today : local.at(tomorrow, time);
    if (!Number.isNaN(found)) return found;
  }
  const whole = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(Z|[+-]\d{2}:\d{2})?$/.exec(text.trim());
  if (whole !== null) {
    const [, date = "", time = "", zone] = whole;
    const found = zone === undefined ? local.at(date, time) : Date.parse(`${date}T${time}${zone}`);
    if (!Number.isNaN(found)) return found;
  }
  throw new ConfigError(`--until: expected a time such as 06:00 or 2026-01-31T06:00, got ${JSON.stringify(text)}`);
}

/** Milliseconds of a duration as typed. Throws ConfigError. */
export function lengthFromText(text: string): number {
  if (!durationPattern.test(text) || durationMs(text) <= 0)
    throw new ConfigError(`--for: expected a duration such as 30min or 2h, got ${JSON.stringify(text)}`);
  return durationMs(text);
}
