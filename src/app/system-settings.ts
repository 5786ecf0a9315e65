import { findMetric, type MetricKey } from "../model/metric.ts";
import type { Reading } from "../model/reading.ts";
import type { SystemDifference } from "../model/system.ts";
import { QPIRI } from "../protocol/pi30/ratings.ts";

/** Units of one system may be set to different currents and charger priorities on purpose; the manuals allow it. */
const mayDiffer: readonly MetricKey[] = ["maxChargeCurrent", "maxAcChargeCurrent", "maxDischargeCurrent", "chargerSourcePriority"];

/** The readings that tell a unit's settings, the best first. */
export interface SettingSource {
  readonly inverter: string;
  readonly readings: readonly Reading[];
}

/** Settings in which units of one system differ; those that a unit does not tell are not compared. */
export function differencesOf(units: readonly SettingSource[]): SystemDifference[] {
  return comparable(units).flatMap((setting) => {
    const values = units.flatMap(({ inverter, readings }) => {
      const reading = readings.find(({ values: told }) => told[setting] !== undefined);
      const value = reading?.values[setting];
      return reading === undefined || value === undefined ? [] : [{ inverter, value, at: reading.at }];
    });
    const isSame = new Set(values.map(({ value }) => JSON.stringify(value))).size <= 1;
    return isSame ? [] : [{ setting, values, mustAgree: !mayDiffer.some((key) => key === setting) }];
  });
}

/** All that QPIRI calls a setting; how the units work together is judged apart from that. */
function comparable(units: readonly SettingSource[]): string[] {
  const told = units.flatMap(({ readings }) => readings.filter(({ command }) => command === QPIRI.code));
  const keys = new Set([...mayDiffer, ...told.flatMap(({ values }) => Object.keys(values))]);
  return [...keys].filter((key) => key !== "outputMode" && findMetric(key)?.kind === "setting");
}
