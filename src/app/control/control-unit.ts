import type { UnitControl } from "../../session/control.ts";

/** What control needs of a live inverter. */
export interface ControlUnit {
  readonly id: string;
  /** False until the unit has said who it is, and while it does not answer. */
  readonly isOnline: boolean;
  readonly control: Pick<UnitControl, "change" | "read" | "facts" | "make">;
}
