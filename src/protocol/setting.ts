import type { Value, Values } from "../model/reading.ts";
import type { Allowed, SettingInfo, SettingValue } from "../model/setting.ts";
import type { Query } from "./command.ts";
import { RefusedError } from "../model/errors.ts";

/** What a decision about a setting may rest on: this unit's own answers, and what its make is known for. */
export interface UnitFacts extends UnitMake {
  /** The latest values of the queries that a setting `needs`, merged; absent names were not sent. */
  readonly values: Values;
}

/** What is known of a unit besides its answers of the moment. */
export interface UnitMake {
  /** Key of the unit's family in `pi30/families.ts`; `unknown` when none fits. */
  readonly family: string;
  /** Its number in a parallel system; 0 for a single unit. */
  readonly unit: number;
  /** True where the user has allowed values beyond the narrowest documented range. */
  readonly wide: boolean;
}

/**
 * Why a unit cannot be given another value. `lacking`: it has no such setting, as far as its answers tell; `locked`: not
 * at the moment, e.g. a battery voltage while the battery type sets it.
 */
export interface NotOffered {
  readonly kind: "none";
  readonly because: "lacking" | "locked";
  readonly reason: string;
}

/**
 * A setting of the catalogue. It holds data and pure functions of data; nothing here can send anything.
 * Only `write()` makes a command of it, and only a `Write` can change a unit.
 */
export interface Setting {
  readonly kind: "setting";
  /** The command without its argument, e.g. `POP`. */
  readonly code: string;
  readonly info: SettingInfo;
  readonly source: string;
  /** The documented form of the argument, for people. */
  readonly shape: string;
  /** Whose answers `allowed`, `check` and `commands` look at. */
  readonly needs: readonly Query[];
  /** Where the value can be read back; absent for what no inquiry tells. */
  readonly readBack: ReadBack | undefined;
  readonly allowed: (facts: UnitFacts) => Allowed | NotOffered;
  /** Why this value would be dangerous beside the unit's other settings; absent when nothing speaks against it. */
  readonly check: (value: SettingValue, facts: UnitFacts) => string | undefined;
  /** The commands that mean this value, the likeliest form first; the next is tried only after a NAK. */
  readonly commands: (value: SettingValue, facts: UnitFacts) => readonly string[];
  /** The value a command asks for; absent when it is none of this setting's. For the simulator and for the shared port. */
  readonly parse: (command: string, facts: UnitFacts) => SettingValue | undefined;
  /** What changes in how the unit behaves when this is applied; absent where nothing is to be seen at once. */
  readonly effect: Effect | undefined;
}

export interface ReadBack {
  readonly query: Query;
  /** The setting's value out of that query's values; absent when they do not tell. The same code means another word on some makes. */
  readonly read: (values: Values, unit: UnitMake) => SettingValue | undefined;
  /** The query's values with the setting changed: what a unit that obeys answers. For the simulator. */
  readonly changed: (values: Values, value: SettingValue, unit: UnitMake) => Values;
  /** Whether what was read is what was wanted, where that is not plain equality: a clock goes on. */
  readonly matches?: (wanted: SettingValue, read: SettingValue) => boolean;
}

/** Something to watch for after a change, by the value that was set. */
export interface Effect {
  /** Whose values, merged, show it. */
  readonly queries: readonly Query[];
  /** True when these values show the effect; absent when they say nothing about it. */
  readonly seen: (values: Values, value: SettingValue) => boolean | undefined;
  readonly describe: (value: SettingValue) => string;
}

/** A command that changes something, checked and ready to be sent. The poller takes a `Request` and cannot hold one. */
export interface Write {
  readonly kind: "write";
  readonly setting: string;
  readonly value: SettingValue;
  readonly command: string;
}

/** True when the unit offers this value. */
export function isAllowed(allowed: Allowed, value: SettingValue): boolean {
  if (allowed.kind === "list") return allowed.values.includes(value);
  if (allowed.kind === "text") return typeof value === "string" && new RegExp(allowed.pattern).test(value);
  if (typeof value !== "number") return false;
  if (allowed.also?.includes(value)) return true;
  const steps = (value - allowed.min) / allowed.step;
  return value >= allowed.min && value <= allowed.max && Math.abs(steps - Math.round(steps)) < 1e-6;
}

/** True when two values are the same setting; a number that came through a decimal text is. */
function isSame(one: SettingValue, other: SettingValue): boolean {
  return typeof one === "number" && typeof other === "number" ? Math.abs(one - other) < 1e-6 : one === other;
}

/** True when a value that was read back is the one that was wanted. */
export function holds({ readBack }: Setting, wanted: SettingValue, read: SettingValue): boolean {
  return (readBack?.matches ?? isSame)(wanted, read);
}

/** A value as people read and write it: `on` and `off` for a switch. */
export function settingText(value: SettingValue): string {
  return typeof value === "boolean" ? (value ? "on" : "off") : String(value);
}

const switchWords: ReadonlyMap<string, boolean> = new Map([
  ["on", true],
  ["yes", true],
  ["true", true],
  ["off", false],
  ["no", false],
  ["false", false],
]);

/** What a word means for a switch; absent for a word that says neither on nor off. */
export function switchOf(text: string): boolean | undefined {
  return switchWords.get(text.trim().toLowerCase());
}

/** The value that is meant: a switch may be given in words. */
export function meantFor({ form }: Pick<SettingInfo, "form">, value: SettingValue): SettingValue {
  return form !== undefined && typeof value === "string" ? (switchOf(value) ?? value) : value;
}

/** `11, 11.5 or 12`, `44 to 51 in steps of 1, or 0`. */
export function describeAllowed(allowed: Allowed, unit?: string): string {
  const behind = unit ? ` ${unit}` : "";
  if (allowed.kind === "list") return `${allowed.values.map(settingText).join(", ")}${behind}`;
  if (allowed.kind === "text") return allowed.form;
  const also = allowed.also?.length ? `, or ${allowed.also.join(", ")}` : "";
  return `${allowed.min} to ${allowed.max}${behind} in steps of ${allowed.step}${also}`;
}

/**
 * The commands that give a setting this value on this unit, the likeliest form first. Throws RefusedError
 * `value-invalid` when the unit does not offer the value or when it would be dangerous beside its other settings.
 */
export function writes(setting: Setting, value: SettingValue, facts: UnitFacts): readonly Write[] {
  const { name, unit } = setting.info;
  const allowed = setting.allowed(facts);
  if (allowed.kind === "none") throw new RefusedError("value-invalid", `${name}: ${allowed.reason}`);
  if (!isAllowed(allowed, value))
    throw new RefusedError(
      "value-invalid",
      `${name}: expected ${describeAllowed(allowed, unit)}, got ${typeof value === "string" ? JSON.stringify(value) : settingText(value)}`,
    );
  const danger = setting.check(value, facts);
  if (danger !== undefined) throw new RefusedError("value-invalid", `${name}: ${danger}`);
  const commands = setting.commands(value, facts);
  if (commands.length === 0) throw new RefusedError("value-invalid", `${name}: no command can say ${JSON.stringify(value)} to this unit`);
  return commands.map((command) => ({ kind: "write", setting: name, value, command }));
}

/** A number out of values; absent for anything else. */
export function numberOf(values: Values, name: string): number | undefined {
  const value: Value | undefined = values[name];
  return typeof value === "number" ? value : undefined;
}
