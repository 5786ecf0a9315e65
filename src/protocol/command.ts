import type { Value, Values } from "../model/reading.ts";
import type { Codec, Field } from "./field.ts";

/** One place in the wire order: a field, or several meanings of which the first that fits the text is taken. */
export type Slot = Field | readonly Field[];

/** One documented form of a reply made of fields separated by one space. */
export interface Layout<Slots extends readonly Slot[] = readonly Slot[]> {
  /** Fewest and most fields this form is taken for. */
  readonly count: readonly [min: number, max: number];
  /** Tells two forms of the same length apart by the text of one field. */
  readonly where?: { readonly index: number; readonly matches: RegExp };
  /** In wire order; further fields of the reply go to the tail. */
  readonly fields: Slots;
}

/** A reply that is not made of fields: the whole payload has one codec, which names several values. */
export interface Whole {
  readonly codec: Codec<Values>;
  /** The values that a reply always has. */
  readonly names: readonly string[];
  /** What each letter or position means, one line each, for the generated documentation. */
  readonly legend: readonly string[];
}

export type Cadence = "fast" | "medium" | "slow" | "once";

/** A command that only asks. The poller can send nothing else. */
export interface Query<V = Values> {
  readonly kind: "query";
  /** As printed; a trailing lower-case `n` stands for the number of a parallel unit, 0 to 9. */
  readonly code: string;
  readonly title: string;
  readonly source: string;
  readonly cadence: Cadence;
  /** Replies of queries with the same shape cannot be told apart by their form alone; the code itself unless declared. */
  readonly shape: string;
  readonly layouts: readonly Layout[];
  readonly whole: Whole | undefined;
  /** Carries the inferred type of the values; never set. */
  readonly values?: V;
}

type SlotValues<S> = S extends Field<infer Name, infer T> ? { [K in Name]?: T } : S extends readonly (infer F)[] ? SlotValues<F> : never;
type Intersect<U> = (U extends unknown ? (value: U) => void : never) extends (value: infer I) => void ? I : never;
type LayoutValues<L> = L extends Layout<infer Slots> ? Intersect<SlotValues<Slots[number]>> : never;
type Flat<T> = { [K in keyof T]: T[K] };

/** The values a query's reply may hold; each may be absent. */
export type ValuesOf<Q> = Q extends Query<infer V> ? V : never;

interface Declaration {
  readonly title: string;
  /** Where the layout is documented. */
  readonly source: string;
  readonly cadence: Cadence;
  readonly shape?: string;
}

/** Declares an inquiry whose reply has fields. */
export function query<const L extends readonly Layout[]>(
  code: string,
  declaration: Declaration & { readonly layouts: L },
): Query<Flat<Intersect<LayoutValues<L[number]>>>> {
  return { kind: "query", code, shape: code, whole: undefined, ...declaration };
}

/** Declares an inquiry whose reply is one piece. */
export function wholeQuery<V extends Readonly<Record<string, Value>>>(
  code: string,
  declaration: Declaration & {
    readonly codec: Codec<V>;
    readonly names: readonly (keyof V & string)[];
    readonly legend?: readonly string[];
  },
): Query<Partial<V>> {
  const { codec, names, legend = [], ...rest } = declaration;
  return { kind: "query", code, shape: code, layouts: [], whole: { codec: codec as unknown as Codec<Values>, names, legend }, ...rest };
}

export function layout<const Slots extends readonly Slot[]>(
  count: readonly [min: number, max: number],
  fields: Slots,
  where?: Layout["where"],
): Layout<Slots> {
  return where ? { count, fields, where } : { count, fields };
}

/** The form that a reply of these fields has; absent when none fits. */
export function findLayout(query: Query<unknown>, texts: readonly string[]): Layout | undefined {
  return query.layouts.find(
    ({ count: [min, max], where }) =>
      texts.length >= min && texts.length <= max && (where === undefined || where.matches.test(texts[where.index] ?? "")),
  );
}

/** A query with its parameter filled in: what is really sent. */
export interface Request<V = Values> {
  readonly query: Query<V>;
  /** The command as sent, e.g. `QPGS0`. */
  readonly command: string;
}

/** Fills in the unit number of a `…n` query (0 to 9); other queries take none. */
export function request<V>(of: Query<V>, unit?: number): Request<V> {
  const wantsUnit = of.code.endsWith("n");
  if (wantsUnit !== (unit !== undefined) || (unit !== undefined && !(Number.isInteger(unit) && unit >= 0 && unit <= 9)))
    throw new TypeError(`${of.code}: expected ${wantsUnit ? "a unit number 0 to 9" : "no unit number"}, got ${unit ?? "none"}`);
  return { query: of, command: unit === undefined ? of.code : of.code.slice(0, -1) + String(unit) };
}
