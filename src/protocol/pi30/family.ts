import type { Allowed } from "../../model/setting.ts";
import type { Renamed } from "./revo.ts";

/** Vendor papers of PI30; what each covers stands in the protocol notes §1. */
export type Paper = "D14" | "D4K" | "D15" | "DGK" | "DMK2" | "DMAX" | "DMAX2" | "DTWIN" | "DPI41";

/**
 * How the argument of a charge current is built: `N` is a digit of the current in A, `m` the number of the parallel
 * unit. `0NN` means the same under all readings, but only for unit 0 and below 100 A.
 */
export type CurrentForm = "NNN" | "mNN" | "mNNN" | "0NN";

/** A command with a form of its argument. */
export type CurrentCommand = readonly [code: "MCHGC" | "MNCHGC" | "MUCHGC" | "MSCHGC", form: CurrentForm];

/** What the codes of a command mean on a make: the word by code, as sent. */
export type CodeTable = Readonly<Record<string, string>>;

/** Rated battery voltages for which ranges are known. */
export type BatteryClass = 12 | 24 | 48;
export type VoltageRanges = Readonly<Partial<Record<BatteryClass, Allowed>>>;

/** The battery voltages that can be set, by what they are for. */
export interface VoltageSheet {
  readonly recharge: VoltageRanges;
  readonly redischarge: VoltageRanges;
  readonly cutOff: VoltageRanges;
  /** Bulk and float alike. */
  readonly charge: VoltageRanges;
  readonly equalization: VoltageRanges;
}

/** What the LED strip takes; an empty table where it is not known or not there. */
export interface LedTable {
  readonly effects: CodeTable;
  readonly brightness: readonly number[];
  /** How many colours it shows at once (PLEDT). */
  readonly colours: readonly number[];
  /** What its colours present (PLEDD). */
  readonly presentations: CodeTable;
}

/** All of it has to hold. */
export interface FamilyRule {
  readonly modelNumbers?: readonly string[];
  readonly modelName?: RegExp;
  /** Field counts by command. */
  readonly fields?: Readonly<Record<string, readonly number[]>>;
  readonly answers?: readonly string[];
  readonly lacks?: readonly string[];
  readonly payload?: readonly (readonly [command: string, pattern: RegExp])[];
}

/** A generation of models with the same habits, as data: a new model is a row here, never new control flow. */
export interface Family {
  readonly key: string;
  readonly title: string;
  /** Why nothing can be set on it: it speaks another language than its answers to QPI say. */
  readonly closed?: string;
  /** The papers that hold for it; none where no paper covers it. */
  readonly papers: readonly Paper[];
  /** Any of them makes a unit one of this family. */
  readonly rules: readonly FamilyRule[];
  /** What to send for each current, the likeliest first. */
  readonly chargeCurrent: readonly CurrentCommand[];
  readonly acChargeCurrent: readonly CurrentCommand[];
  readonly solarChargeCurrent: readonly CurrentCommand[];
  /** True where status and output modes are numbered as in PI41. */
  readonly isSplitPhase?: boolean;
  /** Values that are something else, by the name under which they are decoded. */
  readonly renamed?: Renamed;
  /** True where QDI has the max. charge current in the place of that from the grid, and the other way round. */
  readonly swapsDefaultCurrents?: boolean;
  readonly outputPriorities: CodeTable;
  /** What the codes of charger priority mean; a unit may show a code that it does not take. */
  readonly chargerPriorities: CodeTable;
  /** Codes of charger priority that it takes; all of the table where absent. */
  readonly chargerPrioritiesTaken?: readonly string[];
  readonly voltages: VoltageSheet;
  /** Codes of battery types that its papers name, as two digits. */
  readonly batteryTypes: readonly string[];
  /** Commands for the output voltage, the likeliest first; none where it has no such command. */
  readonly outputVoltage: readonly ("V" | "POPV")[];
  /** Argument of POPM: two digits of the mode, or the number of the unit and one digit. */
  readonly outputModeForm: "NN" | "mN";
  /** Minutes of the constant-voltage stage. */
  readonly cvChargeTime: Allowed;
  /** Where that time is read back. */
  readonly cvChargeTimeBy: "QPIRI" | "QCVT";
  readonly maxDischargeCurrent: Allowed;
  readonly led: LedTable;
  /** Where a 36-character QPIWS has the two digits of the fault code, by rated battery voltage; absent where it is not known. */
  readonly faultDigitsAt?: Readonly<Partial<Record<BatteryClass, 31 | 32>>> | undefined;
}
