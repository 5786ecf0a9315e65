import type { Metric } from "../../src/model/metric.ts";
import { toWords } from "./words.ts";

const minus = "\u2212";

/** A number with the metric's digits; a true minus sign. */
export function formatNumber(value: number, digits?: number): string {
  const text = digits === undefined ? String(value) : value.toFixed(digits);
  return text.startsWith("-") ? (Number(text) === 0 ? text.slice(1) : minus + text.slice(1)) : text;
}

/** `3 s`, `2 min`, `1 h 5 min`, `3 d`. A time in the future counts as now. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d`;
}

/** Below this an age is told as `now`: counting 0, 1, 0, 1 would only flicker. */
const nowMs = 2_000;

/** The age of a live value: `now`, `3 s`, `2 min`. */
export function formatFreshAge(ms: number): string {
  return ms < nowMs ? "now" : formatAge(ms);
}

/** The same in a sentence: `just now`, `3 s ago`. */
export function formatAgo(ms: number): string {
  return ms < nowMs ? "just now" : `${formatAge(ms)} ago`;
}

/** `823 W`, `1.2 kW`. */
export function formatPowerBriefly(watts: number): string {
  return Math.abs(watts) < 1000 ? `${formatNumber(watts, 0)} W` : `${formatNumber(watts / 1000, 1)} kW`;
}

/** What a number's sign says, where the metric has one. */
export function directionOf(metric: Metric | undefined, value: number): string | undefined {
  if (metric?.positive === undefined || value === 0) return undefined;
  if (metric.positive === "discharge") return value > 0 ? "discharging" : "charging";
  return value > 0 ? "import" : "export";
}

/** Time of day at the site. */
export function timeFormat(timeZone: string, seconds: boolean): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", ...(seconds && { second: "2-digit" }) });
}

/** The registry's label, or the name in words for a value the registry does not know. */
export function labelOf(name: string, metric: Metric | undefined): string {
  return metric?.label ?? toWords(name);
}
