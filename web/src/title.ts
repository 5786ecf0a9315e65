import { formatPowerBriefly } from "./format.ts";
import { mainStatus } from "./pick.ts";
import type { InverterState, Store } from "./store.ts";

/** What the browser's tab says: the load while it is known, else what is wrong. */
export function titleOf(store: Store, inverter: InverterState | undefined): string {
  if (store.feed.value === "lost") return "No connection · sonkrag";
  if (inverter === undefined) return "sonkrag";
  const status = mainStatus(inverter);
  const load = status?.reading.value.values["loadActivePower"];
  if (status?.live.value !== true || typeof load !== "number") return "No live values · sonkrag";
  return `${formatPowerBriefly(load)} load · sonkrag`;
}
