import type { Value, Values } from "../model/reading.ts";
import { splitCode, type Argument } from "./argument.ts";
import type { Codec, Field } from "./field.ts";

/** One place in the wire order: a field, or several meanings of which the first that fits the text is taken. */
export type Slot = Field | readonly Field[];

/** What the text of one field looks like. */
export interface Condition {
  readonly index: number;
  readonly matches: RegExp;
}

/** One documented form of a reply made of fields separated by one space. */
export interface Layout<Slots extends readonly Slot[] = readonly Slot[]> {
  /** Fewest and most fields this form is taken for. */
  readonly count: readonly [min: number, max: number];
  /** How many fields papers and captures have, where that is less than `count` lets through. */
  readonly lengths?: readonly number[];
  /** Tells two forms of the same length apart by the text of some fields. */
  readonly where?: readonly Condition[];
  /** In wire order; further fields of the reply go to the tail. */
  readonly fields: Slots;
}

/** A reply that is not made of fields: the whole payload has one codec, which names several values. */
export interface Whole {
  readonly codec: Codec<Values>;
  /** The values that a reply always has. */
  readonly names: readonly string[];
  /** The values that only some replies have. */
  readonly optional: readonly string[];
  /** What each letter or position means, one line each, for the generated documentation. */
  readonly legend: readonly string[];
}

/** How often an inquiry is worth asking; `onDemand`: only when somebody wants to know, never by itself. */
export type Cadence = "fast" | "medium" | "slow" | "once" | "onDemand";

/** A command that only asks. The poller can send nothing else. */
export interface Query<V = Values> {
  readonly kind: "query";
  /** As printed; lower-case letters at its end hold the place of an argument, e.g. `QPGSn`, `QEDyyyymmdd`. */
  readonly code: string;
  /** The code without the placeholder. */
  readonly stem: string;
  readonly argument: Argument | undefined;
  readonly title: string;
  readonly source: string;
  readonly cadence: Cadence;
  /** Replies of queries with the same shape cannot be told apart by their form alone; the code itself unless declared. */
  readonly shape: string;
  /** True where every paper has it and every unit is expected to answer: silence is then no sign of a command that it does not know. */
  readonly everywhere?: true;
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
  readonly everywhere?: true;
}

/** Declares an inquiry whose reply has fields. */
export function query<const L extends readonly Layout[]>(
  code: string,
  declaration: Declaration & { readonly layouts: L },
): Query<Flat<Intersect<LayoutValues<L[number]>>>> {
  return { kind: "query", code, ...splitCode(code), shape: code, whole: undefined, ...declaration };
}

/** Declares an inquiry whose reply is one piece. */
export function wholeQuery<V extends Readonly<Record<string, Value>>>(
  code: string,
  declaration: Declaration & {
    readonly codec: Codec<V>;
    readonly names: readonly (keyof V & string)[];
    readonly optional?: readonly (keyof V & string)[];
    readonly legend?: readonly string[];
  },
): Query<Partial<V>> {
  const { codec, names, optional = [], legend = [], ...rest } = declaration;
  const whole: Whole = { codec, names, optional, legend };
  return { kind: "query", code, ...splitCode(code), shape: code, layouts: [], whole, ...rest };
}

export function layout<const Slots extends readonly Slot[]>(
  count: readonly [min: number, max: number],
  fields: Slots,
  ...where: readonly Condition[]
): Layout<Slots> {
  return where.length > 0 ? { count, fields, where } : { count, fields };
}

/** The form that a reply of these fields has; absent when none fits. */
export function findLayout(query: Query<unknown>, texts: readonly string[]): Layout | undefined {
  return query.layouts.find(
    ({ count: [min, max], where }) =>
      texts.length >= min && texts.length <= max && (where ?? []).every(({ index, matches }) => matches.test(texts[index] ?? "")),
  );
}

/** A query with its parameter filled in: what is really sent. */
export interface Request<V = Values> {
  readonly query: Query<V>;
  /** The command as sent, e.g. `QPGS0`. */
  readonly command: string;
}

/** Fills in the argument of a query that has one: a unit number 0 to 9, or a date as digits. */
export function request<V>(of: Query<V>, argument?: number | string): Request<V> {
  const text = argument === undefined ? "" : String(argument);
  const fits = of.argument === undefined ? argument === undefined : of.argument.accepts(text);
  if (!fits) throw new TypeError(`${of.code}: expected ${of.argument?.shape ?? "no argument"}, got ${argument ?? "none"}`);
  return { query: of, command: of.stem + text };
}

/** The request of this query that is sent as this command; absent when the command is another's. */
export function requestSentAs<V>(of: Query<V>, command: string): Request<V> | undefined {
  if (!command.startsWith(of.stem)) return undefined;
  const text = command.slice(of.stem.length);
  return (of.argument === undefined ? text === "" : of.argument.accepts(text)) ? { query: of, command } : undefined;
}

/** A request that stands for all of its query: the first unit, or a date. */
export function exampleOf<V>(of: Query<V>): Request<V> {
  return request(of, of.argument?.example);
}
