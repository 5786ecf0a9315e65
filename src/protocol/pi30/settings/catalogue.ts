import { RefusedError } from "../../../model/errors.ts";
import type { SettingValue } from "../../../model/setting.ts";
import type { Setting, UnitFacts } from "../../setting.ts";
import { batterySettings } from "./battery.ts";
import { currentSettings } from "./currents.ts";
import { equalizationSettings } from "./equalization.ts";
import { flagSettings } from "./flags.ts";
import { forbidden } from "./forbidden.ts";
import { lightSettings } from "./lights.ts";
import { outputSettings } from "./output.ts";
import { prioritySettings } from "./priorities.ts";
import { resetSettings } from "./reset.ts";
import { secondOutputSettings } from "./second-output.ts";
import { voltageSettings } from "./voltages.ts";

/** Every setting of PI30, in the order of the programs on the unit's display; what has no program comes last. */
export const settings: readonly Setting[] = [
  ...prioritySettings,
  ...currentSettings,
  ...outputSettings,
  ...voltageSettings,
  ...batterySettings,
  ...equalizationSettings,
  ...flagSettings,
  ...lightSettings,
  ...secondOutputSettings,
  ...resetSettings,
].sort((one, other) => (one.info.lcdProgram ?? Infinity) - (other.info.lcdProgram ?? Infinity) || 0);

/** By its name. Throws RefusedError `setting-unknown`. */
export function findSetting(name: string): Setting {
  const setting = settings.find(({ info }) => info.name === name);
  if (setting === undefined)
    throw new RefusedError("setting-unknown", `expected the name of a setting, e.g. outputSourcePriority, got ${JSON.stringify(name)}`);
  return setting;
}

/** What a command that came from outside means on this unit. */
export type Classified =
  | { readonly kind: "setting"; readonly setting: Setting; readonly value: SettingValue }
  | { readonly kind: "forbidden"; readonly reason: string }
  | { readonly kind: "unknown" };

/** Tells the setting and the value that a raw command stands for; an inquiry is `unknown` here. */
export function classify(command: string, facts: UnitFacts): Classified {
  const barred = forbidden.find(({ pattern }) => pattern.test(command.toUpperCase()));
  if (barred !== undefined) return { kind: "forbidden", reason: `${command} is never sent: it ${barred.why}` };
  for (const setting of settings) {
    const value = setting.parse(command, facts);
    if (value !== undefined) return { kind: "setting", setting, value };
  }
  return { kind: "unknown" };
}
