import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { missingPackage, satisfies } from "../../scripts/ready.mjs";
import { root, sandbox } from "./sandbox.ts";

const engines = "^20.19.0 || ^22.13.0 || >=24.0.0";

test.each(["v20.19.0", "v20.20.2", "v22.13.0", "v22.23.3", "v24.0.0", "v26.10.1"])("%s is new enough", (version) => {
  expect(satisfies(version, engines)).toBe(true);
});

test.each(["v18.20.4", "v20.18.9", "v21.7.3", "v22.12.0", "v23.11.1"])("%s is not supported", (version) => {
  expect(satisfies(version, engines)).toBe(false);
});

/** A lock file and what npm says it installed. */
const locks = (locked: object, installed: object) => ({
  "package-lock.json": JSON.stringify({ packages: { "": {}, ...locked } }),
  "node_modules/.package-lock.json": JSON.stringify({ packages: installed }),
});
const zod = { version: "4.6.7", integrity: "sha512-aaaa" };

test("what is locked and installed is not missing; packages of other platforms may be", async () => {
  const optional = { version: "1.0.0", integrity: "sha512-bbbb", optional: true };
  await using box = await sandbox(locks({ "node_modules/zod": zod, "node_modules/only-on-mars": optional }, { "node_modules/zod": zod }));
  expect(missingPackage(box.directory)).toBeUndefined();
});

test("an older, a different and an absent package are missing", async () => {
  for (const installed of [
    { "node_modules/zod": { ...zod, version: "4.6.6" } },
    { "node_modules/zod": { ...zod, integrity: "sha512-cccc" } },
    {},
  ]) {
    await using box = await sandbox(locks({ "node_modules/zod": zod }, installed));
    expect(missingPackage(box.directory)).toBe("node_modules/zod");
  }
});

test("without node_modules everything is missing", async () => {
  await using box = await sandbox({ "package-lock.json": `{ "packages": {} }` });
  expect(missingPackage(box.directory)).toBe("everything");
});

test("the right Node is asked for before anything else", async () => {
  await using box = await sandbox({
    "package.json": JSON.stringify({ type: "module", engines: { node: "^18.0.0" } }),
    "scripts/ready.mjs": await readFile(join(root, "scripts/ready.mjs"), "utf8"),
  });
  const { status, stderr } = spawnSync(process.execPath, ["scripts/ready.mjs"], { cwd: box.directory, encoding: "utf8" });
  expect(stderr).toBe(`Node ^18.0.0 is needed, this is ${process.version}. See https://nodejs.org/en/download.\n`);
  expect(status).toBe(1);
});
