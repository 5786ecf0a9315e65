import type { Origin, Value } from "./reading.ts";

/** A phase of the house; absent where all units feed the same one. */
export type Phase = "L1" | "L2" | "L3";

/** A value of one unit: what it was, when, and who said so. */
export interface SystemValue {
  readonly value: Value;
  readonly origin: Origin;
  /** UTC epoch milliseconds; of the oldest reading it is made of. */
  readonly at: number;
  /** The command that brought it, as sent. */
  readonly command: string;
  /** Id of the inverter at whose cable it was heard. */
  readonly from: string;
  /** False once it is too old or the cable is dead: it may no longer be true. */
  readonly live: boolean;
}

/** One unit of the system, however many times it is seen. */
export interface SystemMember {
  /** Stable; the same over its own cable and over another unit's. */
  readonly id: string;
  readonly simulated: boolean;
  readonly serialNumber?: string;
  readonly model?: string;
  readonly firmware?: string;
  /** True when it has a cable of its own. */
  readonly ownCable: boolean;
  /** Ids of the inverters whose cables tell of it besides, with the number under which they do (`QPGSn`). */
  readonly through: readonly { readonly inverter: string; readonly position: number }[];
  /** `live`: heard of lately; `stale`: not any more; `unheard`: known from before, not heard of in this run. */
  readonly state: "live" | "stale" | "unheard";
  /** UTC epoch milliseconds of the last word of it; absent while unheard. */
  readonly seenAt?: number;
  readonly phase?: Phase;
  /** By metric key. What the unit does not tell is absent, never 0. */
  readonly values: Readonly<Record<string, SystemValue>>;
}

/** A sum over the units that are live now; absent when none of them tells. */
export interface SystemTotal {
  readonly value: number;
  readonly origin: Origin;
  /** UTC epoch milliseconds of the oldest value in it. */
  readonly at: number;
  /** How many units are in it, of how many there should be. */
  readonly units: number;
  readonly expected: number;
  /** True when every expected unit is in it. */
  readonly complete: boolean;
}

export interface SystemPhase {
  readonly phase: Phase;
  readonly members: readonly string[];
  /** Sums over this phase's units, by metric key. */
  readonly totals: Readonly<Record<string, SystemTotal>>;
}

/** A setting in which units differ that should not. */
export interface SystemDifference {
  /** Metric key. */
  readonly setting: string;
  readonly values: readonly { readonly inverter: string; readonly value: Value; readonly at: number }[];
  /** True when the units cannot work together properly with it; false when it may be meant so. */
  readonly mustAgree: boolean;
}

export const systemAlarmCodes = [
  "unit-missing",
  "unit-fault",
  "phase-without-unit",
  "equal-serial-numbers",
  "settings-differ",
  "output-modes-differ",
] as const;
export type SystemAlarmCode = (typeof systemAlarmCodes)[number];

export interface SystemAlarm {
  readonly code: SystemAlarmCode;
  readonly severity: "error" | "warning" | "note";
  /** Plain words: what is the matter and what it means. */
  readonly message: string;
  /** Ids of the units it is about. */
  readonly inverters: readonly string[];
  /** Metric key of the setting, or the phase, that it is about; absent where the units are all there is to say. */
  readonly about?: string;
  /** UTC epoch milliseconds at which it was first noticed. */
  readonly since: number;
}

/** All inverters of this program together, each counted once. */
export interface SystemState {
  readonly members: readonly SystemMember[];
  /** How many units there should be, and how many are live. */
  readonly expected: number;
  readonly answering: number;
  /** True when anything in it is simulated. */
  readonly simulated: boolean;
  /** By metric key. */
  readonly totals: Readonly<Record<string, SystemTotal>>;
  /** Absent while no unit says that it feeds a phase of its own. */
  readonly phases?: readonly SystemPhase[];
  readonly differences: readonly SystemDifference[];
  readonly alarms: readonly SystemAlarm[];
}
