import { RefusedError } from "../model/errors.ts";
import type { Metric } from "../model/metric.ts";
import type { Value } from "../model/reading.ts";

/** Text of one field to its value and back. */
export interface Codec<T> {
  /** The documented form, for messages and generated documentation, e.g. `NN.NN`. */
  readonly shape: string;
  /** Absent when the text does not have this form. */
  decode(text: string): T | undefined;
  /** Throws RefusedError `value-invalid` when the value has no such form. */
  encode(value: T): string;
}

/** One place in a reply. */
export interface Field<Name extends string = string, T extends Value = Value> {
  readonly name: Name;
  readonly metric: Metric | undefined;
  readonly codec: Codec<T>;
  /** What the unit sends in place of a value it does not have. */
  readonly absent: string | undefined;
}

/** A field that carries a registered metric; a number outside the metric's range does not fit. */
export function field<Name extends string, T extends Value>(
  of: Metric<Name>,
  codec: Codec<T>,
  options: { readonly absent?: string } = {},
): Field<Name, T> {
  return { name: of.key, metric: of, codec: of.range ? ranged(codec, of.range, of.unit) : codec, absent: options.absent };
}

function ranged<T>(codec: Codec<T>, [min, max]: readonly [number, number], unit: string | undefined): Codec<T> {
  const inside = (value: T): boolean => typeof value !== "number" || (value >= min && value <= max);
  const shape = `${codec.shape} from ${min} to ${max}${unit ? ` ${unit}` : ""}`;
  return {
    shape,
    decode(text) {
      const value = codec.decode(text);
      return value !== undefined && inside(value) ? value : undefined;
    },
    encode(value) {
      if (!inside(value)) throw invalid(shape, value);
      return codec.encode(value);
    },
  };
}

function invalid(shape: string, value: unknown): RefusedError {
  return new RefusedError("value-invalid", `expected ${shape}, got ${JSON.stringify(value)}`);
}

function number(shape: string, pattern: RegExp, width: number, digits: number): Codec<number> {
  return {
    shape,
    decode: (text) => (pattern.test(text) ? Number(text) : undefined),
    encode(value) {
      const text = value.toFixed(digits).padStart(width, "0");
      if (!pattern.test(text)) throw invalid(shape, value);
      return text;
    },
  };
}

/**
 * A number with `digits` decimals, `width` characters in all as documented; units with larger ratings send more. The
 * point is never left out, and it is what tells a voltage from a current in replies of equally many fields.
 */
export function decimal(width: number, digits: number): Codec<number> {
  return number(`${"N".repeat(width - digits - 1)}.${"N".repeat(digits)}`, /^\d{1,6}\.\d{1,3}$/, width, digits);
}

/** A whole number, zero padded to `width`; units with larger ratings send more digits. */
export function int(width: number): Codec<number> {
  return number("N".repeat(width), /^\d{1,8}$/, width, 0);
}

/** A whole number of exactly `width` digits: where the width tells two meanings apart, or where the reply ends. */
export function fixedInt(width: number): Codec<number> {
  return number(`exactly ${"N".repeat(width)}`, new RegExp(`^\\d{${width}}$`), width, 0);
}

/** A whole number that counts steps of the metric's unit, e.g. of 10 mV or of 0.1 V. */
export function steps(width: number, step: number, unit: string): Codec<number> {
  const count = int(width);
  const perUnit = Math.round(1 / step);
  return {
    shape: `${"N".repeat(width)} × ${step} ${unit}`,
    decode(raw) {
      const value = count.decode(raw);
      if (value === undefined) return undefined;
      return step < 1 ? value / perUnit : value * step;
    },
    encode: (value) => count.encode(value / step),
  };
}

/** Printable text without a space. */
export function text(shape = "text", pattern = /^[!-~]{1,40}$/): Codec<string> {
  return {
    shape,
    decode: (raw) => (pattern.test(raw) ? raw : undefined),
    encode(value) {
      if (!pattern.test(value)) throw invalid(shape, value);
      return value;
    },
  };
}

/**
 * One of several words, each with its wire code. A code that is not listed is kept as `unknown:CODE` when it looks like
 * the listed ones: as long, and digits among digits or capitals among capitals.
 */
export function choice<const Codes extends Readonly<Record<string, string>>>(
  codes: Codes,
): Codec<(keyof Codes & string) | `unknown:${string}`> {
  type Word = (keyof Codes & string) | `unknown:${string}`;
  const words = new Map(Object.entries(codes).map(([word, code]) => [code, word as Word]));
  const lengths = new Set(Array.from(words.keys(), (code) => code.length));
  const alphabet = Object.values(codes).every((code) => /^\d+$/.test(code)) ? /^\d+$/ : /^[A-Z]+$/;
  const alike = (code: string): boolean => lengths.has(code.length) && alphabet.test(code);
  const shape = Object.entries(codes)
    .map(([word, code]) => `${code} ${word}`)
    .join(" · ");
  return {
    shape,
    decode(raw) {
      const word = words.get(raw);
      if (word !== undefined) return word;
      return alike(raw) ? `unknown:${raw}` : undefined;
    },
    encode(word) {
      if (Object.hasOwn(codes, word)) return codes[word];
      const code = word.startsWith("unknown:") ? word.slice("unknown:".length) : "";
      if (!alike(code)) throw invalid(shape, word);
      return code;
    },
  };
}

function eitherOr(no: string, yes: string): Codec<boolean> {
  return {
    shape: `${no} no · ${yes} yes`,
    decode: (raw) => (raw === yes ? true : raw === no ? false : undefined),
    encode: (value) => (value ? yes : no),
  };
}

/** `0` no, `1` yes. */
export const yesNo = eitherOr("0", "1");
/** `0` yes, `1` no. */
export const noYes = eitherOr("1", "0");
/** `00` no, `01` yes. */
export const yesNoOfTwoDigits = eitherOr("00", "01");

/** A row of `0`/`1`, first character first; the value is the list of the names that are set. */
export function flags<const Names extends readonly string[]>(...names: Names): Codec<readonly Names[number][]> {
  const pattern = new RegExp(`^[01]{${names.length}}$`);
  const shape = `${names.length} × 0/1: ${names.join(", ")}`;
  return {
    shape,
    decode: (raw) => (pattern.test(raw) ? names.filter((_, index) => raw[index] === "1") : undefined),
    encode(set) {
      const stranger = set.find((name) => !names.includes(name));
      if (stranger !== undefined) throw invalid(shape, stranger);
      return names.map((name) => (set.includes(name) ? "1" : "0")).join("");
    },
  };
}

/** A place whose meaning nobody has published: kept as it comes, under its number. */
export function unexplained<Index extends number>(index: Index): Field<`field${Index}`, string> {
  return { name: `field${index}`, metric: undefined, codec: text(), absent: undefined };
}
