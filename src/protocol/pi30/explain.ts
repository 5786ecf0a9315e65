import type { Notice, Values } from "../../model/reading.ts";
import type { Family } from "./family.ts";
import { findFamily } from "./families.ts";
import { faults, NO_FAULT } from "./faults.ts";
import { commonWarnings, placedWarnings, type PlacedWarning, type WarningDeclaration } from "./warning-list.ts";

const declared: ReadonlyMap<string, WarningDeclaration> = new Map([...commonWarnings, ...placedWarnings].map((each) => [each.key, each]));

/** What the warnings of QPIWS mean on a unit of this family; the rated battery voltage of QPIRI tells some makes apart. */
export function explainWarnings(values: Values, family: string): readonly Notice[] {
  const { warnings, warningBits } = values;
  if (!Array.isArray(warnings)) return [];
  const bits = typeof warningBits === "string" ? warningBits : "";
  const digits = digitsAt(bits, values, findFamily(family));
  const hidden = placedWarnings.filter((each) => each.families?.includes(family) && isSet(each, bits, digits)).map(({ key }) => key);
  const names = [...(warnings as readonly string[]), ...hidden];
  return names.map((name) => explained(name, family, names.includes("inverterFault")));
}

function explained(key: string, family: string, isFault: boolean): Notice {
  const declaration = declared.get(key);
  if (!declaration) return { key, title: key, severity: "warning", ...unexplained };
  const { title, severity, explanation, advice } = { ...declaration, ...declaration.differs?.[family] };
  return { key, title, explanation, advice, severity: severity === "faultWithInverterFault" ? (isFault ? "fault" : "warning") : severity };
}

const unexplained = {
  explanation: "The papers of this make do not say what this means.",
  advice: "Look it up in the manual of the inverter.",
} as const;

/** What a fault code means on a unit of this family; absent for "no fault". A code that is not known shows its number. */
export function explainFault(code: string, family: string): Notice | undefined {
  if (code === NO_FAULT) return undefined;
  const meanings = faults.filter((each) => each.code === code);
  const { papers } = findFamily(family);
  const own = meanings.filter((each) => each.papers === undefined || each.papers.some((paper) => papers.includes(paper)));
  const [first, ...others] = own.length > 0 ? own : meanings;
  if (!first) return { key: code, title: `Fault ${code}`, severity: "fault", ...unexplained };
  const all = [first, ...others];
  return {
    key: code,
    title: all.map(({ title }) => title).join(", or: "),
    severity: "fault",
    explanation: all.map(({ explanation }) => explanation).join(" Or: "),
    advice: all.map(({ advice }) => advice).join(" Or: "),
  };
}

/**
 * The fault code that stands, by these values of QPIWS, QPIRI, QMOD and QPGSn, as far as they are there. QPGSn says it
 * plainly; the digits within a reply of QPIWS count only while there is a fault, and only where the family is known to have them.
 */
export function faultCodeOf(values: Values, family: string): string | undefined {
  const { faultCode, warnings, warningBits, operatingMode } = values;
  if (typeof faultCode === "string") return faultCode;
  const isFault = operatingMode === "fault" || (Array.isArray(warnings) && (warnings as readonly string[]).includes("inverterFault"));
  if (typeof warningBits !== "string" || !isFault) return undefined;
  const at = digitsAt(warningBits, values, findFamily(family));
  return at === undefined ? undefined : warningBits.slice(at, at + 2);
}

/** Where the two digits of the fault code begin; absent where it is not known or there are none. */
function digitsAt(bits: string, { ratedBatteryVoltage }: Values, { faultDigitsAt }: Family): number | undefined {
  if (bits.length !== 36 || faultDigitsAt === undefined) return undefined;
  const places = [...new Set(Object.values(faultDigitsAt))];
  if (places.length === 1) return places[0];
  return faultDigitsAt[ratedBatteryVoltage as keyof typeof faultDigitsAt];
}

function isSet({ at }: PlacedWarning, bits: string, digits: number | undefined): boolean {
  const position = at[bits.length as keyof typeof at];
  if (position === undefined || bits[position] !== "1") return false;
  return digits !== undefined && position !== digits && position !== digits + 1;
}
