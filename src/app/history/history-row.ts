import type { HistoryRow } from "../../model/history.ts";
import type { Origin, Reading } from "../../model/reading.ts";

/** A reading as history keeps it. */
export function historyRowOf({ inverter, at, command, payload, values, derived }: Reading): HistoryRow {
  const names = Object.keys(derived);
  if (names.length === 0) return { inverter, at, command, payload, values };
  const origins = Object.fromEntries(names.map((name) => [name, "derived" as Exclude<Origin, "measured">]));
  return { inverter, at, command, payload, values: { ...values, ...derived }, origins };
}
