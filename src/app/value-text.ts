import type { Metric } from "../model/metric.ts";
import type { Value } from "../model/reading.ts";

/** A value as people read it, without its unit: the metric's decimals, words instead of camel case. */
export function valueText(value: Value, metric: Metric | undefined): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return metric?.digits === undefined ? String(value) : value.toFixed(metric.digits);
  if (typeof value === "string") return words(value);
  return value.length === 0 ? "none" : value.map((item) => (typeof item === "number" ? String(item) : words(item))).join(", ");
}

/** `solarFirst` → `solar first`; anything that is not camel case, such as a serial number, stays. */
function words(text: string): string {
  return /^[a-z]+(?:[A-Z][a-z]+)+$/.test(text) ? text.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`) : text;
}
