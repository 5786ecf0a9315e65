import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, sandbox } from "./sandbox.ts";

interface Findings {
  readonly diagnostics: readonly { readonly code: string; readonly filename: string }[];
  readonly number_of_files: number;
}

/** What the linter, with the project's rules, finds: `file: rule`. */
async function lint(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const config = await readFile(join(root, ".oxlintrc.json"), "utf8");
  const compiler = await readFile(join(root, "tsconfig.base.json"), "utf8");
  await using box = await sandbox({ ...files, ".oxlintrc.json": config, "tsconfig.json": compiler });
  const { output } = await box.tool("oxlint/bin/oxlint", "--type-aware", "--deny-warnings", "--format", "json");
  const { diagnostics, number_of_files } = JSON.parse(output) as Findings;
  expect(number_of_files).toBe(Object.keys(files).length);
  return diagnostics.map(({ filename, code }) => `${filename}: ${code}`).sort();
}

const work = "async function work(): Promise<number> {\n  return 1;\n}\n";

test("promises that are held pass", async () => {
  expect(await lint({ "src/app/held.ts": `${work}export const result = await work();\n` })).toEqual([]);
});

test("promises that float are found", async () => {
  const found = await lint({
    "src/app/floating.ts": `${work}export function start(): void {\n  work();\n}\n`,
    "src/app/void.ts": `${work}export function start(): void {\n  void work();\n}\n`,
    "src/app/misused.ts": `${work}export const start = (list: readonly number[]): void => list.forEach(async () => { await work(); });\n`,
    "src/app/any.ts": "export const parse = (text: any): unknown => text;\n",
    "src/app/empty.ts": "export function quiet(act: () => void): void {\n  try {\n    act();\n  } catch {}\n}\n",
  });
  expect(found).toEqual([
    "src/app/any.ts: typescript(no-explicit-any)",
    "src/app/empty.ts: eslint(no-empty)",
    "src/app/floating.ts: typescript(no-floating-promises)",
    "src/app/misused.ts: typescript(no-misused-promises)",
    "src/app/void.ts: typescript(no-floating-promises)",
  ]);
});
