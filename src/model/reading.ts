/** A decoded value: a number in the metric's unit, a word, a yes/no, or a list (flags that are set, selectable currents). */
export type Value = number | string | boolean | readonly string[] | readonly number[];

/** Values by name. A name that is missing was not sent: absent is never 0. */
export type Values = Readonly<Record<string, Value>>;

/** `measured`: the inverter said so; `derived`: computed exactly from measured values of the same reading; `estimated`: a model was used. */
export type Origin = "measured" | "derived" | "estimated";

/** `info`: only tells what is going on; `warning`: have a look; `fault`: the unit has stopped or is about to. */
export type Severity = "info" | "warning" | "fault";

/** Something a unit says is not as it should be, for people. */
export interface Notice {
  /** The word in `warnings`, or the number of the fault code. */
  readonly key: string;
  readonly title: string;
  readonly severity: Severity;
  /** What it means, in a sentence. */
  readonly explanation: string;
  /** What to do about it, in a sentence. */
  readonly advice: string;
}

/** One accepted and confirmed answer of one inverter to one command. */
export interface Reading {
  /** Our own stable id of the inverter. */
  readonly inverter: string;
  /** UTC epoch milliseconds at which the answer's last byte had arrived. */
  readonly at: number;
  /** The command as sent, e.g. `QPIGS`, `QPGS0`. */
  readonly command: string;
  /** The answer's payload as received, without `(`, checksum and CR; Latin-1. */
  readonly payload: string;
  readonly values: Values;
  /** Values computed from `values` of this same reading. */
  readonly derived: Values;
  /** Fields beyond the documented ones, as received. */
  readonly tail: readonly string[];
  /** Names of values, measured or derived, that are not to be taken for that: what the unit says does not fit together. */
  readonly estimated?: readonly string[];
  /** What the warnings or the fault code in it mean on this make; empty where nothing stands, absent in answers that carry none. */
  readonly notices?: readonly Notice[];
}

/** Where a value of a reading comes from. */
export function originOf({ values, estimated }: Reading, name: string): Origin {
  if (estimated?.includes(name)) return "estimated";
  return Object.hasOwn(values, name) ? "measured" : "derived";
}

/** How the link to an inverter is doing, in plain words. */
export interface LinkStatus {
  readonly state: "starting" | "online" | "silent" | "lost";
  /** UTC epoch milliseconds of the change to this state. */
  readonly since: number;
  /** What is the matter and what to do; empty while online. */
  readonly message: string;
}

/** Why an exchange brought no value, or why bytes were thrown away. The keys of the frame counters. */
export const rejectReasons = ["timeout", "truncated", "checksum", "noise", "echo", "foreign", "stale", "late", "nak", "malformed"] as const;
export type RejectReason = (typeof rejectReasons)[number];

export function noRejections(): Record<RejectReason, number> {
  return Object.fromEntries(rejectReasons.map((reason) => [reason, 0])) as Record<RejectReason, number>;
}

/** Counters since the program started. Exchanges = accepted + rejected by the reasons that end an exchange. */
export interface LinkCounters {
  readonly requests: number;
  readonly accepted: number;
  readonly rejected: Readonly<Record<RejectReason, number>>;
  readonly reconnects: number;
}

/** The same for one command, with how long its answers took. */
export interface CommandCounters {
  readonly requests: number;
  readonly accepted: number;
  /** Only the reasons that occurred. */
  readonly rejected: Readonly<Partial<Record<RejectReason, number>>>;
  /** Milliseconds from the request's first byte to the answer's last, of the latest answers; absent before the first. */
  readonly latencyMs?: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number; readonly answers: number };
}

/** What is known of one inverter besides its readings. */
export interface InverterInfo {
  /** Stable, `[a-z0-9-]+`; survives renumbered ports and restarts. */
  readonly id: string;
  /** The device URL in use, e.g. `hidraw:/dev/hidraw0`. */
  readonly device: string;
  /** True for the built-in simulated inverter: nothing it says is real. */
  readonly simulated: boolean;
  readonly serialNumber?: string;
  readonly model?: string;
  readonly firmware?: string;
}

/** Receives what happens; called synchronously and must neither throw nor wait. */
export interface Sink {
  readonly name: string;
  reading(reading: Reading, inverter: InverterInfo): void;
  /** Called on every change, and once when the inverter is first seen. */
  status(status: LinkStatus, inverter: InverterInfo): void;
}
