import type { Unit } from "./metric.ts";

/** What a setting can hold: an amount in the setting's unit, a word, or on and off. */
export type SettingValue = number | string | boolean;

/** `everyday`: priorities, charge currents, buzzer. `expert`: what can harm a battery, cut the supply or lose data. */
export type SettingLevel = "everyday" | "expert";

/** What this very unit takes at the moment. `also` are single values beside a range, e.g. 0 for "when full". */
export type Allowed =
  | { readonly kind: "list"; readonly values: readonly SettingValue[] }
  | { readonly kind: "range"; readonly min: number; readonly max: number; readonly step: number; readonly also?: readonly number[] }
  /** `form` for people, `pattern` for programs: a date and time, a colour. */
  | { readonly kind: "text"; readonly form: string; readonly pattern: string };

/** What a person needs to know of a setting; the same for every unit. */
export interface SettingInfo {
  /** As in `settings.outputSourcePriority`; the metric's key where it is read back as a metric. */
  readonly name: string;
  readonly label: string;
  /** One or two plain sentences: what it does and what to mind. */
  readonly explanation: string;
  readonly topic: "output" | "battery" | "charging" | "equalization" | "panel" | "parallel" | "secondOutput" | "lights" | "clock" | "reset";
  readonly unit?: Unit;
  /** `switch`: on and off; `action`: done once, its only value is on, and it has no state. Absent for an amount or a word. */
  readonly form?: "switch" | "action";
  readonly level: SettingLevel;
  /** The word that has to be repeated before this is done; absent where none is needed. */
  readonly confirm?: string;
  /** Number of the program on the unit's own display, where there is one on most models. */
  readonly lcdProgram?: number;
  /** True where it says which place this one unit has among others: a sheet of another unit leaves it alone. */
  readonly ofOneUnit?: true;
}
