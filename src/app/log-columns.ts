import type { Field } from "../protocol/field.ts";
import { QPIGS } from "../protocol/pi30/status.ts";

/** A column of the text log: the field's name and unit from the catalogue; where a field has two meanings, both names. */
export function qpigsColumns(fieldCount: number): { readonly name: string; readonly unit?: string }[] {
  const fields = QPIGS.layouts.find(({ where }) => where === undefined)?.fields ?? [];
  return Array.from({ length: fieldCount }, (_, index) => {
    const slot = fields[index];
    if (slot === undefined) return { name: `field${index}` };
    const meanings: readonly Field[] = "name" in slot ? [slot] : slot;
    const unit = meanings[0]?.metric?.unit;
    const name = meanings.map((meaning) => meaning.name).join("|");
    return unit === undefined ? { name } : { name, unit };
  });
}
