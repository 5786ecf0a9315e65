/** What a unit does with a command: `answers` with data, `refuses` with NAK, or is `silent`. */
export type Support = "answers" | "refuses" | "silent";

/** What one command brought. */
export interface CommandRecord {
  readonly support: Support;
  /** Fields of the latest reply, where it is made of fields. */
  readonly fields?: number;
  /** Bytes of the latest reply's payload. */
  readonly length?: number;
  /** The latest payload, with everything that identifies the unit left in; redacted when the card is shared. */
  readonly payload?: string;
}

/** What is known of a unit's make, worked out from its answers alone. Stored by serial number and firmware. */
export interface ModelCard {
  readonly version: 1;
  readonly protocol: string;
  readonly serialNumber?: string;
  readonly firmware?: string;
  readonly secondFirmware?: string;
  readonly modelName?: string;
  readonly modelNumber?: string;
  /** Key of a family of `protocol/pi30/families.ts`; `unknown` when none fits. */
  readonly family: string;
  /** True once every command of the probe was asked. */
  readonly complete: boolean;
  /** By command as sent. */
  readonly commands: Readonly<Record<string, CommandRecord>>;
  /** How requests with a 00 checksum byte have to be sent: learnt when one was answered. */
  readonly requestChecksum: "plain" | "zeroBumped" | "unknown";
  /** What 00 checksum bytes of replies look like. */
  readonly replyChecksum: "plain" | "zeroBumped" | "unknown";
  readonly pvInputs: number;
  /** `reported`: the unit sends watts; `computed`: volts by amperes of the same side; `unknown`. */
  readonly pvPower: "reported" | "computed" | "unknown";
  readonly parallel: {
    /** Units that have answered a QPGSn with a serial number of their own; 1 for a single unit. */
    readonly units: number;
    readonly serialNumbers: readonly string[];
    /** Phases the units form together: 1, 2 or 3. */
    readonly phases: number;
  };
  /** Names of the settings that can be changed, with the values this unit offers where it says so. */
  readonly settings: Readonly<Record<string, readonly number[] | "documented">>;
  /** UTC epoch ms of the last change. */
  readonly updatedAt: number;
}
