import { isAlias, isMap, isScalar, isSeq, type Document, type LineCounter, type Node, type Pair } from "yaml";
import type { z } from "zod";
import { configJsonSchema, schemaAt, type SchemaNode } from "./config-docs.ts";
import { nearest } from "./did-you-mean.ts";

/** A YAML file as read, for finding the place of a key. */
export interface ConfigText {
  readonly file: string;
  readonly document: Document;
  readonly lines: LineCounter;
}

/** Where a value came from besides the file: the flag of the command line by dotted key path. */
export type Overrides = ReadonlyMap<string, string>;

/** Every issue as `place: key path: expected …, got …`, in the order of the file; one entry for each mistake. */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  values: unknown,
  text: ConfigText | undefined,
  overrides: Overrides,
  schema: () => SchemaNode = configJsonSchema,
): string[] {
  const mistakes = issues.flatMap((issue): Mistake[] => {
    if (issue.code === "unrecognized_keys") {
      const known = Object.keys(schemaAt(schema(), issue.path)?.properties ?? {});
      return issue.keys.map((key) => ({ path: [...issue.path, key], of: "key", says: unknownKey(key, issue.path, known) }));
    }
    const got = valueAt(values, issue.path);
    const complete = !issue.message.startsWith("expected ") || /[,;] got /.test(issue.message);
    const says = complete ? issue.message : `${issue.message}, got ${show(got, issue.path)}${advice(got, issue)}`;
    return [{ path: issue.path, of: "value", says: `${dotted(issue.path)}: ${says}` }];
  });
  return mistakes
    .map((mistake) => ({ ...place(mistake, text, overrides), says: mistake.says }))
    .sort((one, other) => one.offset - other.offset)
    .map(({ name, says }) => `${name}: ${says}`);
}

interface Mistake {
  readonly path: readonly PropertyKey[];
  /** What to point at. */
  readonly of: "key" | "value";
  readonly says: string;
}

function unknownKey(key: string, path: readonly PropertyKey[], known: readonly string[]): string {
  const meant = nearest(key, known);
  const inside = path.length === 0 ? "" : ` in ${dotted(path)}`;
  const hint = meant === undefined ? `known here: ${known.join(", ")}` : `did you mean "${meant}"?`;
  return `unknown key "${key}"${inside}; ${hint}`;
}

/** YAML 1.2 takes `yes`, `on` and `5_000` as text; those who know 1.1 need to be told. */
function advice(got: unknown, issue: z.core.$ZodIssue): string {
  if (typeof got === "number" && issue.message.includes("duration")) return `; write it with its unit, e.g. ${got}s or ${got}ms`;
  if (typeof got !== "string") return "";
  if (issue.message === "expected true or false") {
    if (/^(?:yes|on|y)$/i.test(got)) return "; write true";
    if (/^(?:no|off|n)$/i.test(got)) return "; write false";
  }
  if (issue.code === "invalid_type" && /number/.test(issue.message) && /^\d[\d_]*$/.test(got)) return `; write ${got.replaceAll("_", "")}`;
  if (issue.code === "invalid_value") {
    const meant = nearest(got, issue.values.map(String));
    return meant === undefined ? "" : `; did you mean "${meant}"?`;
  }
  return "";
}

function show(value: unknown, path: readonly PropertyKey[]): string {
  if (value === undefined) return "nothing";
  if (path.at(-1) === "password") return "a value that is not shown";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object" && value !== null) return "a section";
  const text = JSON.stringify(value).replace(/:\/\/[^/@]*@/, "://…@");
  return text.length > 80 ? `${text.slice(0, 77)}…"` : text;
}

/** `mqtt.legacy.enabled`, `inverters[0].id`. */
export function dotted(path: readonly PropertyKey[]): string {
  if (path.length === 0) return "the file";
  return path.map((part, index) => (typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${String(part)}`)).join("");
}

function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  let value = values;
  for (const part of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

function place({ path, of }: Mistake, text: ConfigText | undefined, overrides: Overrides): { name: string; offset: number } {
  for (let length = path.length; length > 0; length--) {
    const flag = overrides.get(dotted(path.slice(0, length)));
    if (flag !== undefined) return { name: flag, offset: -1 };
  }
  if (text === undefined) return { name: "configuration", offset: 0 };
  const offset = offsetOf(path, text.document, of);
  const { line, col } = text.lines.linePos(offset);
  return { name: `${text.file}:${Math.max(line, 1)}:${Math.max(col, 1)}`, offset };
}

/** The offset of the deepest node on the path: a key that is missing is reported at what should have held it. */
function offsetOf(path: readonly PropertyKey[], document: Document, of: "key" | "value"): number {
  let node: Node | null | undefined = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, part] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find((item) => keyText(item) === String(part));
      if (pair === undefined) break;
      const wantsKey = of === "key" && index === path.length - 1;
      node = pair.value as Node | null;
      offset = (wantsKey ? undefined : startOf(node)) ?? startOf(pair.key as Node | null) ?? offset;
    } else if (isSeq(node) && typeof part === "number") {
      node = node.items[part] as Node | undefined;
      offset = startOf(node) ?? offset;
    } else break;
  }
  return offset;
}

function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function startOf(node: Node | null | undefined): number | undefined {
  return node?.range?.[0];
}
