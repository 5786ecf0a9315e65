import type { Origin } from "../model/reading.ts";

/**
 * The flows of energy that are counted, each declared once: the ledger, HTTP, MQTT, Prometheus and the page take key and label from here.
 * All count upward: what has two directions is two flows.
 */
const declarations = {
  pv: { label: "PV energy" },
  pv1: { label: "PV1 energy" },
  pv2: { label: "PV2 energy" },
  pv3: { label: "PV3 energy" },
  load: { label: "Load energy" },
  gridImport: { label: "Energy from the grid" },
  gridExport: { label: "Energy into the grid" },
  batteryCharge: { label: "Energy into the battery" },
  batteryDischarge: { label: "Energy from the battery" },
} as const satisfies Record<string, { readonly label: string }>;

export type FlowKey = keyof typeof declarations;

export const flowKeys = Object.keys(declarations) as readonly FlowKey[];

/** For people. */
export function flowLabel(key: FlowKey): string {
  return declarations[key].label;
}

/** Power of one flow at one moment. */
export interface FlowPower {
  /** W, never negative. */
  readonly watts: number;
  readonly origin: Origin;
}

/** A flow that is missing is not known at this moment: not zero. */
export type FlowPowers = Readonly<Partial<Record<FlowKey, FlowPower>>>;
