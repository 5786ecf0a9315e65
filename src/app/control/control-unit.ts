import { isSharedSerialNumber } from "../../protocol/identify.ts";
import type { Evidence } from "../../model/journal.ts";
import type { UnitControl } from "../../session/control.ts";

/** A unit as it was when something was meant for it. */
export interface Who {
  /** Absent where it told none. */
  readonly serialNumber?: string | undefined;
  /** Only of a unit whose serial number does not tell it apart. */
  readonly evidence?: Evidence | undefined;
}

/** What control needs of a live inverter. */
export interface ControlUnit extends Who {
  readonly id: string;
  /** False until the unit has said who it is, and while it does not answer. */
  readonly isOnline: boolean;
  readonly control: Pick<UnitControl, "change" | "read" | "facts" | "make">;
}

/** What is put down of the unit that is to get a command. */
export function whoIs({ serialNumber, evidence }: Who): { readonly serialNumber?: string; readonly evidence?: Evidence } {
  const isShared = isSharedSerialNumber(serialNumber);
  return { ...(serialNumber !== undefined && { serialNumber }), ...(isShared && evidence !== undefined && { evidence }) };
}

/** True when something was meant for another unit than the one that is there; where one of them tells no serial number, nobody knows. */
export function isAnother(meant: Who | undefined, unit: Who): boolean {
  return doubtOf(meant, unit)?.isOpen === false;
}

/**
 * Why the unit that is there is, or may be, another one than was meant; absent where nothing speaks for that. Of units that share a
 * serial number the rest of what they tell has to fit: one make stays one make, and an energy counter only grows. `isOpen`: it
 * has not told yet what would tell.
 */
export function doubtOf(meant: Who | undefined, unit: Who): { readonly reason: string; readonly isOpen: boolean } | undefined {
  if (meant?.serialNumber === undefined || unit.serialNumber === undefined) return undefined;
  if (meant.serialNumber !== unit.serialNumber)
    return { reason: `of the unit ${meant.serialNumber}, and ${unit.serialNumber} is in its place`, isOpen: false };
  if (!isSharedSerialNumber(unit.serialNumber)) return undefined;
  const was = meant.evidence ?? {};
  const is = unit.evidence ?? {};
  const cables = `of one of several units with the serial number ${unit.serialNumber}, and another one seems to be in its place`;
  for (const [what, key] of [
    ["model", "model"],
    ["firmware", "firmware"],
  ] as const) {
    const [then, now] = [was[key], is[key]];
    if (then !== undefined && now !== undefined && then !== now)
      return { reason: `${cables}: its ${what} was ${then} and is ${now}; were cables changed?`, isOpen: false };
  }
  if (was.pvEnergyTotal === undefined) return undefined;
  if (is.pvEnergyTotal === undefined)
    return {
      reason: `of one of several units with the serial number ${unit.serialNumber}, and it is not known yet which is there`,
      isOpen: true,
    };
  if (is.pvEnergyTotal >= was.pvEnergyTotal) return undefined;
  return {
    reason: `${cables}: its energy counter was at ${was.pvEnergyTotal} Wh and is at ${is.pvEnergyTotal} Wh; were cables changed?`,
    isOpen: false,
  };
}
