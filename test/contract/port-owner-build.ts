import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

let built: Promise<string> | undefined;

/** The path of `port-owner.ts` as one JavaScript file: Node 20 runs no TypeScript, and what is in dist/ may be old. */
export function ownerProgram(): Promise<string> {
  return (built ??= bundle());
}

async function bundle(): Promise<string> {
  const outDir = mkdtempSync(join(tmpdir(), "sonkrag-test-owner-"));
  process.once("exit", () => rmSync(outDir, { recursive: true, force: true }));
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
