import type { SettingChange } from "../../model/control.ts";

/** What is wanted, whoever wants it. */
export function wishOf({ inverter, setting, value, until, confirm, actor }: SettingChange): string {
  return JSON.stringify([inverter, setting, value, until ?? null, confirm ?? null, actor.via === "lease" ? actor.name : null]);
}
