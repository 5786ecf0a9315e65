import { readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, sandbox } from "./sandbox.ts";

/** The errors (`file: code`) of compiling one folder of src, as the project configures it, holding only the given files. */
async function compile(folder: string, references: readonly string[], files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const texts: Record<string, string> = {
    "package.json": `{ "type": "module" }`,
    "tsconfig.base.json": await readFile(join(root, "tsconfig.base.json"), "utf8"),
  };
  for (const each of [folder, ...references]) {
    const path = `src/${each}/tsconfig.json`;
    texts[path] = await readFile(join(root, path), "utf8");
    texts[`src/${each}/some.ts`] = "export const some = 1;\n";
  }
  for (const [name, text] of Object.entries(files)) texts[`src/${folder}/${name}`] = text;
  await using box = await sandbox(texts);
  // The types of Node lie there for everybody: it is the folder's configuration that must not take them.
  await symlink(join(root, "node_modules"), join(box.directory, "node_modules"));
  const { output } = await box.tool("typescript/bin/tsc", "-b", `src/${folder}`);
  return [...output.matchAll(/^src\/\w+\/([\w.-]+)\(.*?error (TS\d+)/gm)].map(([, file, code]) => `${file}: ${code}`).sort();
}

const impure = {
  "node.ts": `import { readFileSync } from "node:fs";\nexport const read = readFileSync;\n`,
  "timer.ts": "export const wait = (): unknown => setTimeout(() => undefined, 1);\n",
  "fetch.ts": `export const get = (): unknown => fetch("http://localhost");\n`,
  "process.ts": "export const pid = (): unknown => process.pid;\n",
  "console.ts": `export const say = (): void => console.log("");\n`,
  "upward.ts": `import { some } from "../sim/some.ts";\nexport const other = some;\n`,
};

test("protocol compiles neither Node, nor timers, nor fetch, nor what is above it", async () => {
  const errors = await compile("protocol", ["model", "session", "sim"], impure);
  expect(errors).toEqual([
    "console.ts: TS2584",
    "fetch.ts: TS2304",
    "node.ts: TS2591",
    "process.ts: TS2591",
    "timer.ts: TS2304",
    "upward.ts: TS6307",
  ]);
});

test("session compiles timers, but not Node", async () => {
  const { "timer.ts": timer, "node.ts": node, "process.ts": process } = impure;
  const errors = await compile("session", ["model", "protocol"], { "timer.ts": timer, "node.ts": node, "process.ts": process });
  expect(errors).toEqual(["node.ts: TS2591", "process.ts: TS2591"]);
});

test("the same code compiles where Node is allowed", async () => {
  const { "upward.ts": _, ...allowed } = impure;
  expect(await compile("transport", ["model", "protocol", "session"], allowed)).toEqual([]);
});
