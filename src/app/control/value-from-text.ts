import type { SettingState } from "../../model/control.ts";
import type { SettingValue } from "../../model/setting.ts";
import { switchOf } from "../../protocol/setting.ts";

/** `Solar first` and `solarFirst` mean the same word. */
const plain = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9.]/g, "");

/**
 * What a person means who types this for a setting: one of the unit's values where it fits one, else the text itself, which is
 * then refused with the choice.
 */
export function valueFromText(text: string, { info, allowed, value }: SettingState): SettingValue {
  if (allowed?.kind === "text") return text;
  if (allowed?.kind === "list") {
    const word = plain(text);
    // Of a number every sign counts: -10 is not 10, and 1,0 is not either.
    const found =
      allowed.values.find((each) => typeof each === "string" && (each === text || plain(each) === word)) ??
      numberIn(allowed.values, numberOf(text, info.unit));
    if (found !== undefined) return found;
    const yes = switchOf(text);
    if (yes !== undefined && allowed.values.includes(yes)) return yes;
    return (allowed.values.some((each) => typeof each === "number") ? numberOf(text, info.unit) : undefined) ?? text;
  }
  const number = numberOf(text, info.unit);
  if (allowed?.kind === "range") return number ?? text;
  // It cannot be changed at the moment: the form of its value is all there is to go by.
  if (typeof value === "boolean") return switchOf(text) ?? text;
  return typeof value === "string" ? text : (number ?? switchOf(text) ?? text);
}

function numberIn(values: readonly SettingValue[], number: number | undefined): number | undefined {
  return number !== undefined && values.includes(number) ? number : undefined;
}

function numberOf(text: string, unit: string | undefined): number | undefined {
  const trimmed = text.trim();
  const bare = unit !== undefined && trimmed.toLowerCase().endsWith(unit.toLowerCase()) ? trimmed.slice(0, -unit.length).trim() : trimmed;
  return /^[+-]?\d+(?:\.\d+)?$/.test(bare) ? Number(bare) : undefined;
}
