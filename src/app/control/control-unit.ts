import type { UnitControl } from "../../session/control.ts";

/** What control needs of a live inverter. */
export interface ControlUnit {
  readonly id: string;
  /** What tells it from another one that is put in its place under the same id; absent where it tells none. */
  readonly serialNumber?: string | undefined;
  /** False until the unit has said who it is, and while it does not answer. */
  readonly isOnline: boolean;
  readonly control: Pick<UnitControl, "change" | "read" | "facts" | "make">;
}

/** True when something was meant for another unit than the one that is there; where one of them tells no serial number, nobody knows. */
export function isAnother(meant: string | undefined, { serialNumber }: Pick<ControlUnit, "serialNumber">): boolean {
  return meant !== undefined && serialNumber !== undefined && meant !== serialNumber;
}
