import type { LineStamp, LocalTimes } from "./local-times.ts";

/** Forms of time that have a name; others are spelled with the parts below. */
export const timeForms = ["iso", "seconds", "milliseconds"] as const;

const iso = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?$/;

const parts: Readonly<Record<string, string>> = {
  YYYY: "\\d{4}",
  MM: "\\d{1,2}",
  DD: "\\d{1,2}",
  HH: "\\d{1,2}",
  hh: "\\d{1,2}",
  mm: "\\d{2}",
  ss: "\\d{2}",
  SSS: "\\d{1,9}",
  A: "[AaPp][Mm]",
};

/** What a spelled form such as `DD.MM.YYYY HH:mm:ss` matches; absent for one that is none. */
export function timePattern(form: string): RegExp | undefined {
  if (form === "iso") return iso;
  if (form === "seconds" || form === "milliseconds") return /^\d{1,13}(?:\.\d+)?$/;
  const seen = new Set<string>();
  const source = form.replaceAll(/YYYY|MM|DD|HH|hh|mm|ss|SSS|A|[^]/g, (part) => {
    const pattern = parts[part];
    if (pattern === undefined) return part.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
    if (seen.has(part)) return "(?!)";
    seen.add(part);
    return `(?<${part}>${pattern})`;
  });
  const hasDay = ["YYYY", "MM", "DD", "mm"].every((part) => seen.has(part));
  const hasHour = seen.has("HH") !== seen.has("hh") && seen.has("hh") === seen.has("A");
  return hasDay && hasHour && !source.includes("(?!)") ? new RegExp(`^${source}$`) : undefined;
}

/** UTC epoch milliseconds of a table's time; NaN where it is none. `local` is asked where the text has no zone. */
export function tableTime(text: string, form: string, pattern: RegExp, local: LocalTimes): number {
  const match = pattern.exec(text);
  if (match === null) return Number.NaN;
  if (form === "seconds") return Math.round(Number(text) * 1_000);
  if (form === "milliseconds") return Math.round(Number(text));
  if (form !== "iso") return local.next(stampOf(match.groups ?? {}));
  const [, date = "", minutes = "", seconds = "00", fraction = "0", zone] = match;
  const stamp = { date, time: `${minutes}:${seconds}`, ms: milliseconds(fraction) };
  if (zone === undefined) return local.next(stamp);
  const offset =
    zone === "UTC" ? "Z" : zone.replace(/^([+-]\d{2}):?(\d{2})?$/, (_, hours: string, rest = "00") => `${hours}:${rest as string}`);
  return Date.parse(`${stamp.date}T${stamp.time}${offset}`) + stamp.ms;
}

function stampOf(given: Readonly<Record<string, string | undefined>>): LineStamp {
  const two = (text = "00"): string => text.padStart(2, "0");
  const { YYYY, MM, DD, HH, hh, mm, ss, SSS, A } = given;
  const hour = hh === undefined ? two(HH) : two(String((Number(hh) % 12) + (A?.toLowerCase() === "pm" ? 12 : 0)));
  return { date: `${YYYY}-${two(MM)}-${two(DD)}`, time: `${hour}:${two(mm)}:${two(ss)}`, ms: milliseconds(SSS ?? "0") };
}

const milliseconds = (fraction: string): number => Number(fraction.slice(0, 3).padEnd(3, "0"));
