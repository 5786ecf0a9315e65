import type { Value, Values } from "../model/reading.ts";
import { findLayout, type Query, type Slot } from "../protocol/command.ts";
import type { Field } from "../protocol/field.ts";

/**
 * A payload as the form of a reply: how many fields, how wide each, and which of several meanings a place has. Values put
 * into it come out as that very firmware would send them; what has no value stands as it stood.
 */
export function fillForm(query: Query, form: string, values: Values): string {
  if (query.whole) {
    const known = query.whole.codec.decode(form);
    return known === undefined ? form : query.whole.codec.encode({ ...known, ...values });
  }
  const [, payload = "", spaces = ""] = /^(.*?)( *)$/.exec(form) ?? [];
  const texts = payload.split(" ");
  const slots = findLayout(query, texts)?.fields ?? [];
  return texts.map((text, index) => fillPlace(slots[index], text, values)).join(" ") + spaces;
}

/** The values that stand in a form; none where the catalogue does not know it. */
export function readForm(query: Query, form: string): Values {
  if (query.whole) return query.whole.codec.decode(form) ?? {};
  const texts = form.replace(/ +$/, "").split(" ");
  const values: Record<string, Value> = {};
  for (const [index, slot] of (findLayout(query, texts)?.fields ?? []).entries()) {
    const text = texts[index] ?? "";
    const field = fieldOf(slot, text);
    const value = text === field?.absent ? undefined : field?.codec.decode(text);
    if (field !== undefined && value !== undefined) values[field.name] = value;
  }
  return values;
}

function fillPlace(slot: Slot | undefined, text: string, values: Values): string {
  const field = slot && fieldOf(slot, text);
  const value = field && values[field.name];
  // A `-` stands where this firmware never has a value.
  if (field === undefined || value === undefined || text === field.absent) return text;
  return fitted(field.codec.encode(value), text);
}

/** Of several meanings of a place, the first that its text has. */
function fieldOf(slot: Slot, text: string): Field | undefined {
  const fields: readonly Field[] = "name" in slot ? [slot] : slot;
  return fields.find(({ codec }) => codec.decode(text) !== undefined) ?? fields.find(({ absent }) => absent === text);
}

/** A number as wide and with as many decimals as the one before it, unless it needs more room. */
export function fitted(text: string, like: string): string {
  const [, decimals] = /^\d+(?:\.(\d+))?$/.exec(like) ?? [];
  if (text.length === like.length || !/^\d+(\.\d+)?$/.test(text) || !/^[\d.]+$/.test(like)) return text;
  return Number(text)
    .toFixed(decimals?.length ?? 0)
    .padStart(like.length, "0");
}

/** Puts numbers into places of a payload by their position, each as wide as what stood there. */
export function patched(form: string, numbers: Readonly<Record<number, number>>): string {
  return form
    .split(" ")
    .map((text, index) => {
      const number = numbers[index];
      if (number === undefined) return text;
      const decimals = /\.(\d+)$/.exec(text)?.[1]?.length ?? 0;
      return number.toFixed(decimals).padStart(text.length, "0");
    })
    .join(" ");
}
