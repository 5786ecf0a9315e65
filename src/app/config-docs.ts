import { z } from "zod";
import { configSchema } from "./config.ts";

type Scalar = string | number | boolean;

/** The part of JSON Schema that our configuration uses. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: Scalar | readonly Readonly<Record<string, Scalar>>[];
  readonly enum?: readonly Scalar[];
  readonly examples?: readonly Scalar[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  /** Of a section whose keys are free. */
  readonly additionalProperties?: SchemaNode | boolean;
}

/** JSON Schema of the configuration file, for editors and for looking keys up. */
export function configJsonSchema(): SchemaNode {
  const schema = z.toJSONSchema(configSchema, {
    io: "input",
    override({ jsonSchema }) {
      // The defaults of a section are those of its keys.
      if (jsonSchema.type === "object") delete jsonSchema.default;
    },
  });
  return { title: "sonkrag configuration", ...schema } as SchemaNode;
}

/** The schema of what stands at a key path; list positions are numbers. Absent where nothing may stand. */
export function schemaAt(root: SchemaNode, path: readonly PropertyKey[]): SchemaNode | undefined {
  let node: SchemaNode | undefined = root;
  for (const part of path) node = typeof part === "number" ? node?.items : (node?.properties?.[String(part)] ?? freeKey(node));
  return node;
}

const freeKey = (node: SchemaNode | undefined): SchemaNode | undefined =>
  typeof node?.additionalProperties === "object" ? node.additionalProperties : undefined;

/** A configuration file with every key, its meaning and its default; valid as it stands. */
export function exampleConfig(options: { readonly schemaPath?: string } = {}): string {
  const root = configJsonSchema();
  const head = options.schemaPath === undefined ? [] : [`# yaml-language-server: $schema=${options.schemaPath}`];
  head.push("# Configuration of sonkrag. Every key is optional; the values shown are the defaults.");
  return `${[...head, ...entries(root, "")].join("\n")}\n`;
}

function entries(node: SchemaNode, indent: string): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
    ...(indent === "" ? [""] : []),
    ...wrap(child.description ?? "", 100).map((line) => `${indent}# ${line}`),
    ...entry(key, child, indent),
  ]);
}

function entry(key: string, node: SchemaNode, indent: string): string[] {
  if (node.properties !== undefined && Object.values(node.properties).every(isUnset)) return optionalSection(key, node.properties, indent);
  if (node.properties !== undefined) return [`${indent}${key}:`, ...entries(node, `${indent}  `)];
  if (node.items !== undefined) return [`${indent}${key}:`, ...listItems(node, `${indent}  `)];
  if (node.default === undefined) return [`${indent}# ${key}: ${String(node.examples?.[0])}`];
  return [`${indent}${key}: ${scalarText(node.default)}`];
}

function isUnset(node: SchemaNode): boolean {
  return node.properties === undefined && node.default === undefined;
}

/** A section without any default, as a comment with examples: a section with nothing in it would be no section. */
function optionalSection(key: string, properties: NonNullable<SchemaNode["properties"]>, indent: string): string[] {
  const shown = Object.entries(properties).map(([name, node]) => [name, withDefault(node, node.examples?.[0])] as const);
  return [`${key}:`, ...entries({ properties: Object.fromEntries(shown) }, "  ")].map((line) => `${indent}# ${line}`);
}

function listItems(list: SchemaNode, indent: string): string[] {
  const defaults = typeof list.default === "object" ? list.default : [];
  return defaults.flatMap((item) => {
    const described: SchemaNode = {
      properties: Object.fromEntries(
        Object.entries(list.items?.properties ?? {}).map(([key, node]) => [key, withDefault(node, item[key])]),
      ),
    };
    const lines = entries(described, `${indent}  `);
    const first = lines.findIndex((line) => !line.trimStart().startsWith("#"));
    return lines.map((line, index) => (index === first ? `${indent}- ${line.trimStart()}` : line));
  });
}

function scalarText(value: NonNullable<SchemaNode["default"]>): string {
  return typeof value === "object"
    ? value
        .map(
          (item) =>
            `{${Object.entries(item)
              .map((pair) => pair.join(": "))
              .join(", ")}}`,
        )
        .join(", ")
    : String(value);
}

function withDefault(node: SchemaNode, value: Scalar | undefined): SchemaNode {
  return value === undefined ? node : { ...node, default: value };
}

/** Markdown table of every key: type, default, meaning. */
export function configTable(): string {
  const rows = tableRows(configJsonSchema(), "");
  return ["| Key | Type | Default | Meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

function tableRows(node: SchemaNode, prefix: string): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const path = `${prefix}${key}`;
    if (child.properties !== undefined) return [row(path, child), ...tableRows(child, `${path}.`)];
    if (child.items !== undefined) return [row(path, child), ...tableRows(child.items, `${path}[].`)];
    return [row(path, child)];
  });
}

function row(path: string, node: SchemaNode): string {
  const type = node.enum === undefined ? typeNames[node.type ?? ""] : node.enum.map((word) => `\`${String(word)}\``).join(", ");
  const shown = node.default === undefined ? "" : `\`${scalarText(node.default)}\``;
  return `| \`${path}\` | ${type ?? ""} | ${shown} | ${node.description ?? ""} |`;
}

const typeNames: Readonly<Record<string, string>> = {
  object: "section",
  array: "list",
  string: "text",
  integer: "whole number",
  number: "number",
  boolean: "true or false",
};

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
