import type { Allowed, SettingInfo, SettingValue } from "./setting.ts";

/** Who wants a change: where it came in, and the name given there, e.g. `{ via: "http", name: "kitchen tablet" }`. */
export interface Actor {
  readonly via: "cli" | "http" | "mqtt" | "lease" | "undo" | "sheet" | "sharedPort" | "console";
  readonly name?: string;
}

/** A wish to change one setting of one inverter. */
export interface SettingChange {
  /** Ours, unique for ever; the same id asked twice is done once. */
  readonly id: string;
  /** Our own id of the inverter. */
  readonly inverter: string;
  readonly setting: string;
  readonly value: SettingValue;
  readonly actor: Actor;
  /** The word of `SettingInfo.confirm`, as the person typed it. */
  readonly confirm?: string;
  /** A lease: the change holds until then, and is followed by another value of the same setting. */
  readonly until?: LeaseTerm;
}

/** When a lease ends: at a time (UTC epoch ms, wall clock) or so many milliseconds after it began; and the value from then on. */
export type LeaseTerm = ({ readonly at: number } | { readonly forMs: number }) & { readonly next: SettingValue };

/**
 * `applied`: read back as wanted · `unchanged`: it was so already, nothing was sent · `refused`: by us or by the inverter,
 * nothing has changed · `notSupported`: this unit has no such setting · `unconfirmed`: sent, but not read back as wanted.
 */
export const outcomeKinds = ["applied", "unchanged", "refused", "notSupported", "unconfirmed"] as const;
export type OutcomeKind = (typeof outcomeKinds)[number];

/** One command of a change as it crossed the line. */
export interface WrittenCommand {
  /** As sent, without checksum, e.g. `MUCHGC030`. */
  readonly command: string;
  readonly sent: string;
  /** The reply's bytes as hex; absent for silence. */
  readonly received?: string;
  readonly answer: "ack" | "nak" | "silence" | "spoilt";
  /** UTC epoch ms. */
  readonly at: number;
}

/** How a change ended; there is always exactly one. */
export interface Outcome {
  readonly change: SettingChange;
  readonly kind: OutcomeKind;
  /** In plain words; always says why when it is not `applied` or `unchanged`. */
  readonly reason: string;
  /** Who refused; only with `refused`. */
  readonly by?: "us" | "inverter";
  /** The value before, as read right before; absent when it could not be read. */
  readonly before?: SettingValue;
  /** The value after, as read back last; absent when it could not be read. */
  readonly after?: SettingValue;
  readonly written: readonly WrittenCommand[];
  /** What was seen of the change in how the unit behaves, in plain words; absent when nothing was to be seen. */
  readonly effect?: string;
  /** UTC epoch ms. */
  readonly startedAt: number;
  readonly endedAt: number;
}

/** A setting of one unit as it stands. */
export interface SettingState {
  readonly info: SettingInfo;
  /** Absent when it cannot be read, and of what is done once and has no state. */
  readonly value?: SettingValue;
  /** UTC epoch ms of the reading behind `value`. */
  readonly at?: number;
  /** Absent when this unit cannot be given another value; `reason` then says why. */
  readonly allowed?: Allowed;
  readonly reason?: string;
  /** True where it has this setting and only cannot be given another value at the moment. */
  readonly locked?: true;
}
