import type { Origin } from "../model/reading.ts";

/** `always`: every unit has this flow, so a unit that does not tell of it is missing from a total; `sometimes`: many units do not have it. */
type Presence = "always" | "sometimes";

/**
 * The flows of energy that are counted, each declared once: the ledger, HTTP, MQTT, Prometheus and the page take key and label from here.
 * All count upward: what has two directions is two flows.
 */
const declarations = {
  pv: { label: "PV energy", presence: "always" },
  pv1: { label: "PV1 energy", presence: "sometimes" },
  pv2: { label: "PV2 energy", presence: "sometimes" },
  pv3: { label: "PV3 energy", presence: "sometimes" },
  load: { label: "Load energy", presence: "always" },
  gridImport: { label: "Energy from the grid", presence: "always" },
  gridExport: { label: "Energy into the grid", presence: "sometimes" },
  batteryCharge: { label: "Energy into the battery", presence: "always" },
  batteryDischarge: { label: "Energy from the battery", presence: "always" },
} as const satisfies Record<string, { readonly label: string; readonly presence: Presence }>;

export type FlowKey = keyof typeof declarations;

export const flowKeys = Object.keys(declarations) as readonly FlowKey[];

/** For people. */
export function flowLabel(key: FlowKey): string {
  return declarations[key].label;
}

/** Whether a unit that does not tell of this flow makes a total of several units incomplete. */
export function isOfEveryUnit(key: FlowKey): boolean {
  return declarations[key].presence === "always";
}

/** Power of one flow at one moment. */
export interface FlowPower {
  /** W, never negative. */
  readonly watts: number;
  readonly origin: Origin;
}

/** A flow that is missing is not known at this moment: not zero. */
export type FlowPowers = Readonly<Partial<Record<FlowKey, FlowPower>>>;

/** Energy of one flow over some time. */
export interface FlowEnergy {
  /** Wh, never negative. */
  readonly wattHours: number;
  /** Milliseconds of that time for which the power was known. */
  readonly coveredMs: number;
  /** The worst that went into it. */
  readonly origin: Origin;
}

/** A flow that is missing was not known at all. */
export type FlowEnergies = Readonly<Partial<Record<FlowKey, FlowEnergy>>>;

/** A quarter of an hour. Every clock change and every zone's offset falls on its edges, so local days are made of whole ones. */
export const bucketMs = 900_000;

export const msPerHour = 3_600_000;

/** Energy of one quarter of an hour. */
export interface EnergyBucket {
  /** UTC epoch milliseconds of its start, a multiple of 15 min. */
  readonly at: number;
  readonly flows: FlowEnergies;
}

const ranks: Readonly<Record<Origin, number>> = { measured: 0, derived: 1, estimated: 2 };

/** The less certain of several; `measured` of none. */
export function worstOrigin(...origins: readonly Origin[]): Origin {
  return origins.reduce((worst, origin) => (ranks[origin] > ranks[worst] ? origin : worst), "measured");
}

/** A record with what `make` gives for each flow; flows for which it gives nothing are left out. */
export function byFlow<T>(make: (key: FlowKey) => T | undefined): Readonly<Partial<Record<FlowKey, T>>> {
  const made: Partial<Record<FlowKey, T>> = {};
  for (const key of flowKeys) {
    const value = make(key);
    if (value !== undefined) made[key] = value;
  }
  return made;
}
