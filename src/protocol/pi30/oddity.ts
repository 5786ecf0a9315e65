import type { Oddity } from "../../model/card.ts";
import { findLayout, type Layout, type Query, type Request, type Slot } from "../command.ts";
import { fieldsOf, readSlot, textsOf } from "../decode.ts";
import { unexplained, type Field } from "../field.ts";

/** So often in a row the same field must have the same odd form. */
export const HABIT_AFTER = 3;
/** A shorter reply has too few other fields to be sure of their places. */
const LEAST_FIELDS = 16;
/** Two fields glued together are longer. */
const MOST_CHARACTERS = 8;

export type OddForm = Omit<Oddity, "seen">;

/**
 * The only field of this reply that does not have a documented form; absent where all have, or where it is not certain that
 * each field stands in its place: where another one is wrong too, or their number is not a documented one. The last is
 * never taken for odd: a reply that is cut or has won a byte betrays itself there.
 */
export function oddFormIn({ query }: Request<unknown>, body: string): OddForm | undefined {
  const texts = textsOf(body);
  const layout = findLayout(query, texts);
  if (!layout || texts.length < LEAST_FIELDS || !isDocumented(layout, texts.length)) return undefined;
  const wrong = layout.fields.slice(0, texts.length).flatMap((slot, index) => {
    const text = texts[index]!;
    return readSlot(slot, text, index === texts.length - 1) === undefined ? [{ index, text, slot }] : [];
  });
  const [odd] = wrong;
  if (!odd || wrong.length > 1 || odd.index >= texts.length - 1) return undefined;
  if (!/^[!-~]+$/.test(odd.text) || odd.text.length > MOST_CHARACTERS || isFlags(odd.slot)) return undefined;
  return { index: odd.index, form: formOf(odd.text) };
}

/** The same request, to whose answer this field in this form brings nothing but its text. */
export function tolerating<V>(request: Request<V>, { index, form }: OddForm): Request<V> {
  const { query } = request;
  const odd: Field = { ...unexplained(index), codec: textOf(form) };
  const alter = (slot: Slot, at: number): Slot => (at === index ? [...fieldsOf(slot), odd] : slot);
  // Only in a reply of a documented length is the place certain.
  const layouts = query.layouts.flatMap((layout): Layout[] => [
    ...lengthsOf(layout).map((length): Layout => ({ ...layout, count: [length, length], fields: layout.fields.map(alter) })),
    layout,
  ]);
  const tolerant: Query<V> = { ...query, layouts };
  return { ...request, query: tolerant };
}

/** What a text looks like: every digit as N. */
function formOf(text: string): string {
  return text.replace(/\d/g, "N");
}

function textOf(form: string): Field["codec"] {
  const { codec } = unexplained(0);
  return { ...codec, shape: form, decode: (text) => (formOf(text) === form ? text : undefined) };
}

function isDocumented(layout: Layout, length: number): boolean {
  return lengthsOf(layout).includes(length);
}

function lengthsOf({ count: [min, max], lengths }: Layout): readonly number[] {
  if (lengths !== undefined) return lengths;
  return max === Infinity ? [] : Array.from({ length: max - min + 1 }, (_, more) => min + more);
}

/** Flags are what shows that the fields around them stand in their places. */
function isFlags(slot: Slot): boolean {
  return fieldsOf(slot).some(({ codec }) => Array.isArray(codec.decode("0".repeat(8))) || Array.isArray(codec.decode("000")));
}
