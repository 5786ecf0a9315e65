import type { Actor, Outcome, SettingChange } from "./control.ts";
import type { SettingValue } from "./setting.ts";

/** An entry of the journal of changes: its number, counted from 1, and UTC epoch ms. */
interface Stamp {
  readonly n: number;
  readonly at: number;
  /** Which start of the machine it was, and for how long (ms) that had been running; absent where the system does not tell. */
  readonly boot?: string;
  readonly upMs?: number;
}

/** What tells units with one serial number apart, as far as anything does. */
export interface Evidence {
  readonly model?: string;
  readonly firmware?: string;
  /** Wh, its own counter. */
  readonly pvEnergyTotal?: number;
}

/** On the disk before a command leaves, so that a crash at any later moment is found out. */
export interface IntentEntry extends Stamp {
  readonly kind: "intent";
  readonly change: SettingChange;
  readonly command: string;
  /** Of the unit that is to get it; absent where it tells none. */
  readonly serialNumber?: string;
  /** Where the serial number does not tell it apart. */
  readonly evidence?: Evidence;
  /** The value read right before; absent when it could not be read. */
  readonly before?: SettingValue;
}

/** How an attempt ended. */
export interface OutcomeEntry extends Stamp {
  readonly kind: "outcome";
  readonly outcome: Outcome;
  /** Further identical requests that this one stands for. */
  readonly more?: number;
}

/** A lease that was given up before its time. */
export interface LeaseEndEntry extends Stamp {
  readonly kind: "leaseEnd";
  /** Id of the change that began it. */
  readonly lease: string;
  readonly inverter: string;
  readonly setting: string;
  readonly actor: Actor;
}

export type JournalEntry = IntentEntry | OutcomeEntry | LeaseEndEntry;

/** An entry before it has its number and time. */
export type NewEntry = JournalEntry extends infer Entry ? (Entry extends Stamp ? Omit<Entry, keyof Stamp> : never) : never;

/** Why the journal cannot be written; nothing is changed meanwhile. */
export interface JournalTrouble {
  /** UTC epoch ms. */
  readonly since: number;
  /** Attempts that failed. */
  readonly failed: number;
  readonly reason: string;
}

/** A change that still has to be followed by another value. */
export interface Lease {
  /** Id of the change that began it. */
  readonly id: string;
  readonly inverter: string;
  readonly setting: string;
  /** What was set, and what follows. */
  readonly value: SettingValue;
  readonly next: SettingValue;
  /** UTC epoch ms on the wall clock. */
  readonly until: number;
  /** UTC epoch ms. */
  readonly since: number;
  readonly actor: Actor;
}

/** A lease as it stands. */
export interface LeaseState extends Lease {
  /** True when its time has come and the value that follows is not confirmed yet. */
  readonly overdue: boolean;
  /** Why the last attempt to end it failed; absent before the first. */
  readonly trouble?: string;
}

/** Writes of one setting, and how many there may be: an inverter's memory wears out. */
export interface BudgetState {
  readonly inverter: string;
  readonly setting: string;
  readonly lastHour: number;
  readonly lastDay: number;
  readonly perHour: number;
  readonly perDay: number;
}
