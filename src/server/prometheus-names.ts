import type { Metric, Unit } from "../model/metric.ts";

/** Start of every name. */
export const prometheusPrefix = "sonkrag";

/** Units in the words that Prometheus uses. Values keep the unit they have everywhere else in sonkrag: 60 min stay 60. */
const unitWords: Readonly<Record<Unit, string>> = {
  V: "volts",
  A: "amperes",
  W: "watts",
  VA: "volt_amperes",
  Hz: "hertz",
  "%": "percent",
  "°C": "celsius",
  Wh: "watt_hours",
  mV: "millivolts",
  s: "seconds",
  min: "minutes",
  h: "hours",
  d: "days",
};

/** `batteryVoltage` → `battery_voltage`. */
export function snakeCase(key: string): string {
  return key
    .replaceAll(/[^A-Za-z0-9]+/g, "_")
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase();
}

/**
 * What a number of this metric is called: the key in snake case, its unit, `_total` if it only counts up; a word that
 * would stand there twice stands there once (`load_percent`, `pv_energy_watt_hours_total`).
 */
export function numberName({ key, unit, kind }: Pick<Metric, "key" | "unit" | "kind">): string {
  const counts = kind === "cumulative";
  // Names that end in `_count` are those of histograms.
  const words = snakeCase(counts ? key.replace(/Total$/, "") : key).replace(/_count$/, "_number");
  const unitWord = unit === undefined ? "" : unitWords[unit];
  const withUnit = unitWord === "" || `_${words}`.endsWith(`_${unitWord}`) ? words : `${words}_${unitWord}`;
  return `${prometheusPrefix}_${withUnit}${counts ? "_total" : ""}`;
}

/** What a yes or no of this metric is called. */
export function switchName(key: string): string {
  return `${prometheusPrefix}_${snakeCase(key)}`;
}

/** What a word, or one of several, is called: a series for each word that stands, with the word as label `value`. */
export function wordName(key: string): string {
  return `${prometheusPrefix}_${snakeCase(key)}_info`;
}
