import type { Value } from "../../../model/reading.ts";
import { fieldsOf } from "../../../protocol/decode.ts";
import type { Field } from "../../../protocol/field.ts";
import { pi30 } from "../../../protocol/pi30/dialect.ts";
import { QPIGS } from "../../../protocol/pi30/status.ts";

/** Every field of the catalogue by its name. */
const fieldsByName: ReadonlyMap<string, readonly { readonly command: string; readonly field: Field }[]> = (() => {
  const found = new Map<string, { command: string; field: Field }[]>();
  for (const { code, argument, layouts } of pi30)
    for (const field of layouts.flatMap(({ fields }) => fields.flatMap(fieldsOf)))
      if (argument === undefined) found.set(field.name, [...(found.get(field.name) ?? []), { command: code, field }]);
  return found;
})();

/** The command whose answers bring it live, so that what is imported continues the same series. */
export function commandOf(name: string): string {
  return fieldsByName.get(name)?.[0]?.command ?? QPIGS.code;
}

/** A text's value, of the type that the catalogue gives the name; absent where it cannot be. Lists are joined with `|`, an empty one is `none`. */
export function valueOf(name: string, text: string): Value | undefined {
  const number = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/.test(text) ? Number(text) : undefined;
  const fields = fieldsByName.get(name);
  // What is derived has no field of its own.
  if (fields === undefined) return number ?? text;
  const list = text === "none" ? [] : text.split("|");
  // A word first: a pattern takes a number of two digits for a word of two digits.
  const meanings: readonly (Value | undefined)[] = [text, number, text === "true" ? true : text === "false" ? false : undefined, list];
  return meanings.find((value) => value !== undefined && fields.some(({ field }) => fits(field, value)));
}

/** Whether the field can have this value, of this type. */
function fits({ codec }: Field, value: Value): boolean {
  try {
    const back = codec.decode(codec.encode(value));
    return back === value || (typeof back === "object" && JSON.stringify(back) === JSON.stringify(value));
  } catch {
    // A codec of another type of value.
    return false;
  }
}
