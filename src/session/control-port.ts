import type { Outcome, SettingChange, SettingState } from "../model/control.ts";

/** The one way to change anything; everything that comes from outside goes through it. */
export interface ControlPort {
  /** Never rejects for what a unit does; rejects with the signal's reason only before anything was sent. */
  change(change: SettingChange, options: { readonly signal: AbortSignal }): Promise<Outcome>;
  /** Every setting of the unit, known to this program, with its present value. */
  settings(inverter: string, options: { readonly signal: AbortSignal }): Promise<readonly SettingState[]>;
}
