import type { HistoryRow } from "../../model/history.ts";
import { originOf, type Origin, type Reading } from "../../model/reading.ts";

/** A reading as history keeps it. */
export function historyRowOf(reading: Reading): HistoryRow {
  const { inverter, at, command, payload, values, derived } = reading;
  const origins: Record<string, Exclude<Origin, "measured">> = {};
  for (const name of [...Object.keys(derived), ...(reading.estimated ?? [])]) {
    const origin = originOf(reading, name);
    if (origin !== "measured") origins[name] = origin;
  }
  if (Object.keys(derived).length === 0 && Object.keys(origins).length === 0) return { inverter, at, command, payload, values };
  return { inverter, at, command, payload, values: { ...values, ...derived }, origins };
}
