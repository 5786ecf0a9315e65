import type { EnergyBalance } from "./balance.ts";
import type { Allowed } from "./setting.ts";

/**
 * What a unit does with a command: `answers` with data; `hasNothing` to tell at the moment (it says ACK); `refuses` with
 * NAK; is `silent`; or answers in a form that is `unreadable` to this program.
 */
export type Support = "answers" | "hasNothing" | "refuses" | "silent" | "unreadable";

/** A field in a form that no paper has, in a reply that is right otherwise. */
export interface Oddity {
  /** Its place in the reply, from 0. */
  readonly index: number;
  /** What it looks like: every digit as N, everything else as it came. */
  readonly form: string;
  /** How often in a row it was seen so, 1 to 3; from 3 on it is a habit of the unit, and the other fields are trusted. */
  readonly seen: number;
}

/** What one command brought. */
export interface CommandRecord {
  readonly support: Support;
  /** How often in a row it brought no data; 0 where it answers. From two on it is believed. */
  readonly failures: number;
  /** Fields of the latest reply, where it is made of fields. */
  readonly fields?: number;
  /** Characters of the latest payload. */
  readonly length?: number;
  /** The one field of its replies that has another form than documented. */
  readonly oddity?: Oddity;
  /** A payload of this form, as received; it holds what identifies the unit, unless the card was made to be shared. */
  readonly payload?: string;
  /** UTC epoch ms at which this was found out. */
  readonly at: number;
}

/** `plain`: a 00 byte is sent as it is; `zeroBumped`: as 01. */
export type ChecksumHabitFound = "plain" | "zeroBumped" | "unknown";

/** What was found out about a unit by asking it. Everything else that is known of its make follows from this. */
export interface ModelCard {
  readonly version: 1;
  readonly protocol: string;
  readonly serialNumber?: string;
  readonly firmware?: string;
  /** Firmware versions met, the present one last. */
  readonly firmwares: readonly { readonly version: string; readonly since: number }[];
  /** True once every command of the probe was asked. */
  readonly complete: boolean;
  /** By command as sent. */
  readonly commands: Readonly<Record<string, CommandRecord>>;
  /** How requests with a 00 checksum byte have to be sent: learnt when one was answered. */
  readonly requestChecksum: ChecksumHabitFound;
  /** How the unit sends a 00 checksum byte: learnt from the first reply that has one. */
  readonly replyChecksum: ChecksumHabitFound;
  /** UTC epoch ms of the last change. */
  readonly updatedAt: number;
}

/** A value for which the documents have no name. */
export interface UnknownField {
  /** Its place in the reply, from 0. */
  readonly index: number;
  readonly text: string;
}

/** A field that gives no value, because it does not look as documented. */
export interface MalformedField extends UnknownField {
  /** What should stand there. */
  readonly name: string;
  /** True once it is known for a habit of the unit, and the other fields of the reply are trusted. */
  readonly isHabit: boolean;
}

/** A setting that the unit has; `locked` where it cannot be changed at the moment. */
export type CardSetting = Allowed | { readonly kind: "locked"; readonly reason: string };

/** What follows from a card. */
export interface CardFacts {
  readonly modelName?: string;
  readonly modelNumber?: string;
  readonly secondFirmware?: string;
  /** Key of a family of `protocol/pi30/families.ts`; `unknown` when none fits. */
  readonly family: string;
  readonly familyTitle: string;
  /** 0 where not even the first could be read. */
  readonly pvInputs: number;
  /** `reported`: the unit sends watts; `computed`: volts by amperes of the same side; `unknown`. */
  readonly pvPower: "reported" | "computed" | "unknown";
  readonly parallel: {
    /** Units that have answered a QPGSn with a serial number; 1 for a single unit. */
    readonly units: number;
    /** The number of this unit among them, 0 to 9; 0 for a single unit. */
    readonly number: number;
    readonly serialNumbers: readonly string[];
    /** Phases the units form together: 1, 2 or 3. */
    readonly phases: number;
  };
  /** The settings of the catalogue that this unit has, by name, with the values it takes. */
  readonly settings: Readonly<Record<string, CardSetting>>;
  /** By command. */
  readonly unknownFields: Readonly<Record<string, readonly UnknownField[]>>;
  /** By command: the field that does not have its documented form and gives no value. */
  readonly malformedFields: Readonly<Record<string, MalformedField>>;
}

/** A card as it is shown. */
export interface CardDocument {
  readonly card: ModelCard;
  readonly facts: CardFacts;
  /** Whether its PV power fits what it says of load and battery; only while a running program watches it. */
  readonly balance?: EnergyBalance;
}
