import { expect, it } from "vitest";
import { parse } from "yaml";
import { configJsonSchema, configTable, exampleConfig, schemaAt, type SchemaNode } from "./config-docs.ts";

/** Every key path of the schema, `inverters[].device` for what is in a list. */
function paths(node: SchemaNode, prefix = ""): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
    `${prefix}${key}`,
    ...paths(child, `${prefix}${key}.`),
    ...paths(child.items ?? {}, `${prefix}${key}[].`),
  ]);
}
const every = paths(configJsonSchema());

it("every key has a meaning, and a default or an example", () => {
  const poor = (node: SchemaNode): string[] =>
    Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
      ...(child.description ? [] : [`${key}: no description`]),
      ...(child.properties !== undefined || child.default !== undefined || child.examples !== undefined
        ? []
        : [`${key}: no default and no example`]),
      ...poor(child),
      ...poor(child.items ?? {}),
    ]);
  expect(poor(configJsonSchema())).toEqual([]);
  expect(every).toContain("mqtt.legacy.unitTopic");
});

it("every key is in the table, once", () => {
  const rows = [...configTable().matchAll(/^\| `([^`]+)`/gm)].map(([, path]) => path);
  expect(rows).toEqual(every);
});

it("every key is in the example, set or as a comment", () => {
  const lines = exampleConfig().split("\n");
  const missing = every.filter((path) => {
    const key = path.split(/\.|\[\]\./).at(-1) ?? "";
    return !lines.some((line) => new RegExp(`^[\\s#-]*${key}:`).test(line));
  });
  expect(missing).toEqual([]);
});

it("the example has no section with nothing in it, and stays valid when its comments are taken up", () => {
  expect(Object.values(parse(exampleConfig()) as object)).not.toContain(null);
  const uncommented = exampleConfig().replaceAll(/^# (?=site:|  (?:# |timeZone:))/gm, "");
  expect(parse(uncommented)).toMatchObject({ site: { timeZone: "Africa/Johannesburg" } });
});

it("finds the schema of a key path", () => {
  expect(schemaAt(configJsonSchema(), ["inverters", 3, "id"])?.type).toBe("string");
  expect(schemaAt(configJsonSchema(), ["mqtt", "nothing", "deeper"])).toBeUndefined();
});
