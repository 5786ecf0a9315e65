import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

let built: Promise<string> | undefined;

/** The path of `port-owner.ts` as one JavaScript file: Node 20 runs no TypeScript, and what is in dist/ may be old. */
export function ownerProgram(): Promise<string> {
  return (built ??= bundle());
}

/** To be called when all tests are done. */
export async function removeOwnerProgram(): Promise<void> {
  if (built !== undefined) rmSync(dirname(await built), { recursive: true });
  built = undefined;
}

async function bundle(): Promise<string> {
  const outDir = mkdtempSync(join(tmpdir(), "sonkrag-test-owner-"));
  await build({
    configFile: false,
    logLevel: "error",
    build: {
      ssr: fileURLToPath(new URL("port-owner.ts", import.meta.url)),
      outDir,
      target: "node20",
      rolldownOptions: { output: { entryFileNames: "port-owner.mjs" } },
    },
  });
  return join(outDir, "port-owner.mjs");
}
