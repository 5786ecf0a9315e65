import { readFileSync } from "node:fs";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { ConfigError } from "../../../model/errors.ts";
import { LocalTime } from "../../../model/local-time.ts";
import { findMetric, metric, type Metric, type Unit } from "../../../model/metric.ts";
import type { SchemaNode } from "../../config-docs.ts";
import { describeIssues } from "../../config-issues.ts";
import { nearest } from "../../did-you-mean.ts";
import { timeForms, timePattern } from "./table-time.ts";

/*
 * How a table of another program is read: a YAML file that says where its time is and which column is which of our metrics.
 * An error text here starts with "expected"; the reader of the file adds what it got, and where.
 */

const text = z.string({ error: "expected text" }).min(1, "expected text that is not empty");
const number = z.number({ error: "expected a number" });
const keyed = <Shape extends z.core.$ZodLooseShape>(shape: Shape) => z.strictObject(shape, { error: "expected a section with keys" });

/** Units that other programs use, as multiples of ours. */
const foreignUnits: Readonly<Record<string, { readonly unit: Unit; readonly factor: number; readonly offset?: number }>> = {
  kW: { unit: "W", factor: 1_000 },
  kVA: { unit: "VA", factor: 1_000 },
  kWh: { unit: "Wh", factor: 1_000 },
  MWh: { unit: "Wh", factor: 1_000_000 },
  mV: { unit: "V", factor: 0.001 },
  mA: { unit: "A", factor: 0.001 },
  "°F": { unit: "°C", factor: 5 / 9, offset: -160 / 9 },
};

const valueSchema = z.preprocess(
  (given) => (typeof given === "string" ? { column: given } : given),
  keyed({
    column: text,
    unit: text.optional(),
    scale: number.optional(),
    offset: number.optional(),
    sign: z.enum(["same", "opposite"], { error: "expected same or opposite" }).optional(),
    words: z.record(z.string(), text, { error: "expected a section of words" }).optional(),
  }),
);

const mappingSchema = keyed({
  table: keyed({
    delimiter: z.string().length(1, "expected one character").optional(),
    encoding: z.enum(["utf-8", "latin1", "utf-16le"], { error: "expected utf-8, latin1 or utf-16le" }).default("utf-8"),
    skipLines: z.int({ error: "expected a whole number from 0 to 1000" }).min(0).max(1_000).default(0),
    decimal: z.enum([".", ","], { error: 'expected "." or ","' }).default("."),
    absent: z
      .array(z.string(), { error: "expected a list of texts" })
      .default(["-", "--", "NaN", "null", "None", "unknown", "unavailable"]),
  }).prefault({}),
  time: keyed({
    column: z.union([text, z.array(text).min(1)], { error: "expected a column's name, or a list of names" }),
    format: text
      .refine((form) => timePattern(form) !== undefined, {
        error: `expected ${timeForms.join(", ")}, or a form such as DD.MM.YYYY HH:mm:ss`,
      })
      .default("iso"),
    zone: text.refine(isZone, { error: "expected an IANA time zone such as Africa/Johannesburg" }).optional(),
  }),
  inverter: z
    .string()
    .regex(/^[a-z0-9-]+$/, "expected an id of lower-case letters, digits and hyphens")
    .optional(),
  keyed: keyed({ key: text, value: text }).optional(),
  values: z
    .record(z.string(), valueSchema, { error: "expected a section with a metric on each line" })
    .refine((values) => Object.keys(values).length > 0, { error: "expected at least one metric", abort: true })
    .superRefine((values, context) => {
      for (const [key, value] of Object.entries(values))
        for (const { path, message } of mistakesIn(key, value)) context.addIssue({ code: "custom", path: [key, ...path], message });
    }),
});
type Parsed = z.output<typeof mappingSchema>;

const mappingDocument = (): SchemaNode => z.toJSONSchema(mappingSchema, { io: "input" }) as SchemaNode;

/** One metric's place in a table. */
export interface MappedValue {
  readonly key: string;
  /** The column's name; in a table with one value a line, the key of that line. */
  readonly column: string;
  /** Absent for a word. */
  readonly number?: { readonly factor: number; readonly offset: number };
  readonly range?: readonly [min: number, max: number];
  /** Our words for those of the table. */
  readonly words?: Readonly<Record<string, string>>;
}

/** How a table is read. */
export interface Mapping extends Pick<Parsed, "table" | "inverter" | "keyed"> {
  readonly time: { readonly columns: readonly string[]; readonly format: string; readonly zone?: string | undefined };
  readonly values: readonly MappedValue[];
}

/** Throws ConfigError with every mistake at its line and column. */
export function readMapping(file: string): Mapping {
  let source: string;
  try {
    source = readFileSync(file, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`${file}: expected a mapping file, could not read it: ${reason}`, { cause });
  }
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const bad = [...document.errors, ...document.warnings].map((error) => {
    const { line, col } = lines.linePos(error.pos[0]);
    return `${file}:${line}:${col}: not valid YAML: ${error.message}`;
  });
  if (bad.length > 0) throw new ConfigError(bad.join("\n"));
  const given: unknown = document.toJS();
  const result = mappingSchema.safeParse(given);
  if (!result.success)
    throw new ConfigError(describeIssues(result.error.issues, given, { file, document, lines }, new Map(), mappingDocument).join("\n"));
  const { table, time, inverter, keyed: perLine, values } = result.data;
  return {
    table,
    time: { columns: [time.column].flat(), format: time.format, zone: time.zone },
    inverter,
    keyed: perLine,
    values: Object.entries(values).map(([key, value]) => mappedOf(key, value)),
  };
}

const isNumeric = (of: Metric): boolean => of.unit !== undefined || of.digits !== undefined;

function mappedOf(key: string, { column, unit, scale = 1, offset = 0, sign, words }: Parsed["values"][string]): MappedValue {
  const of = findMetric(key);
  if (of === undefined || !isNumeric(of)) return { key, column, ...(words && { words }) };
  const foreign = unit === undefined || unit === of.unit ? undefined : foreignUnits[unit];
  const turn = sign === "opposite" ? -1 : 1;
  const factor = foreign?.factor ?? 1;
  return {
    key,
    column,
    number: { factor: scale * factor * turn, offset: (offset * factor + (foreign?.offset ?? 0)) * turn },
    ...(of.range && { range: of.range }),
  };
}

interface Mistake {
  readonly path: readonly string[];
  readonly message: string;
}

function mistakesIn(key: string, value: Parsed["values"][string]): Mistake[] {
  const of = findMetric(key);
  if (of === undefined) {
    const meant = nearest(key, Object.keys(metric));
    return [{ path: [], message: `expected a metric, got "${key}"${meant === undefined ? "" : `; did you mean "${meant}"?`}` }];
  }
  if (!isNumeric(of)) {
    const wrong = (["unit", "scale", "offset", "sign"] as const).filter((name) => value[name] !== undefined);
    return wrong.map((name) => ({ path: [name], message: `expected no ${name}, got one: ${key} is no number` }));
  }
  if (value.words !== undefined) return [{ path: ["words"], message: `expected no words, got some: ${key} is a number` }];
  if (value.unit === undefined || value.unit === of.unit || foreignUnits[value.unit]?.unit === of.unit) return [];
  const known = [of.unit, ...Object.keys(foreignUnits).filter((name) => foreignUnits[name]?.unit === of.unit)];
  return [{ path: ["unit"], message: `expected ${known.join(" or ")}, got "${value.unit}"` }];
}

function isZone(name: string): boolean {
  try {
    LocalTime.of(name);
    return true;
  } catch {
    return false;
  }
}
