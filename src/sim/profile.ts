import type { ChecksumHabit } from "../protocol/crc.ts";
import type { PvString } from "./pv.ts";

/** How the argument of a charge current is read: `m` is the number of the parallel unit, `N` a digit of the current in A. */
export type CurrentForm = "NNN" | "mNN" | "mNNN";

/**
 * What the unit does with a setting that it could take: `obeys` · `refuses` it with NAK · `ignores` it, having said ACK ·
 * applies it `late`, 20 s after it said ACK.
 */
export const settingDialects = ["obeys", "refuses", "ignores", "late"] as const;
export type SettingDialect = (typeof settingDialects)[number];

/** What a priority's code makes the unit do. */
export type OutputPriority = "utilityFirst" | "solarFirst" | "sbu";
export type ChargerPriority = "utilityFirst" | "solarFirst" | "solarAndUtility" | "onlySolar";

/**
 * A make and its firmware, as data: what it answers, in which form, and with which habits. Whatever the physics knows
 * is put into the form that stands here; the rest of a reply is sent as it stands.
 */
export interface Profile {
  /** As in `--model NAME`. */
  readonly name: string;
  /** Key of the family of models it is one of. */
  readonly family: string;
  /** What it is and what is special about it, in one line. */
  readonly title: string;
  /** Where its forms come from. */
  readonly source: string;
  /**
   * Payloads by the catalogue's code (`QPGSn` for every number). They fix the number of fields, their widths, what stands
   * behind the documented fields, and the settings it begins with. A command that is not here is unknown to it.
   */
  readonly replies: Readonly<Record<string, string>>;
  /** Known and refused with NAK, also where the unknown meets silence. */
  readonly refuses?: readonly string[];
  /** What an unknown command and a wrong request checksum bring. */
  readonly refusal: "nak" | "silence";
  /** NAK without checksum. */
  readonly bareNak?: boolean;
  /** Which form of a 00 checksum byte it takes in a request; both where absent. */
  readonly requestChecksum?: ChecksumHabit;
  /** How a 00 checksum byte of a reply is sent; plain where absent. */
  readonly replyChecksum?: ChecksumHabit;
  /** LF behind the CR of every reply. */
  readonly lineFeed?: boolean;
  /** Zero bytes in front of every reply. */
  readonly leadingZeros?: number;
  /** Between a request's last byte and the reply's first, ms. */
  readonly latencyMs: number;
  /** Where QPIWS has the two digits of the fault code: 31 or 32; absent where it has none. */
  readonly faultDigitsAt?: 31 | 32;
  /** Phases that two units of it form together; 1 where absent. */
  readonly phases?: 2;
  /** What the unit does by QPIRI 16 and 17, where a code means something else than usual. */
  readonly outputPriorities?: Readonly<Record<string, OutputPriority>>;
  readonly chargerPriorities?: Readonly<Record<string, ChargerPriority>>;
  /** Panels, a string for each of its PV inputs. */
  readonly strings: readonly PvString[];
  /** The household's size against the one that suits 8 kW. */
  readonly household: number;
  readonly settings: SettingHabits;
}

/** Which commands that change something it knows, and how it reads them. */
export interface SettingHabits {
  /** Without their argument, e.g. `POP`. */
  readonly commands: readonly string[];
  /** By command; a current in no form of these is refused. */
  readonly currents: Readonly<Partial<Record<string, readonly CurrentForm[]>>>;
  /** Highest current it takes although it lists more, A. */
  readonly highestCurrent?: number;
}
