import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { errorCodes } from "../../src/model/errors.ts";
import { ended } from "./cli.ts";

it("the generated parts of docs/ and share/ are as their source declares them", async () => {
  const script = fileURLToPath(new URL("../../scripts/generate-docs.mjs", import.meta.url));
  expect(await ended(spawn(process.execPath, [script, "--check"]))).toEqual({ exit: 0, stdout: "", stderr: "" });
});

it("docs/errors.md lists the codes there are, no more and no fewer", () => {
  const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `([a-z-]+)` +\| (.*?) +\|$/gm)].map(([, code, meaning]) => [code, meaning]);
  expect(Object.fromEntries(rows)).toEqual(errorCodes);
});
