import type { SettingChange } from "../../model/control.ts";
import { meantFor, type Setting } from "../../protocol/setting.ts";

/** What is wanted, whoever wants it. */
export function wishOf({ inverter, setting, value, until, confirm, actor }: SettingChange): string {
  return JSON.stringify([inverter, setting, value, until ?? null, confirm ?? null, actor.via === "lease" ? actor.name : null]);
}

/** The same change with the values that its words mean: on and off of a switch. */
export function meantBy(change: SettingChange, setting: Setting | undefined): SettingChange {
  if (setting === undefined) return change;
  const { value, until } = change;
  const meant = { ...change, value: meantFor(setting.info, value) };
  return until === undefined ? meant : { ...meant, until: { ...until, next: meantFor(setting.info, until.next) } };
}
