/** Proves that the core runs in a browser: bundles src/index.ts and runs the bundle where only the language itself exists. */
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { root } from "./ready.mjs";

export async function bundleForBrowser() {
  const { build } = await import("vite");
  /** @type {string[]} */
  const outside = [];
  const built = await build({
    configFile: false,
    root,
    logLevel: "error",
    build: {
      write: false,
      minify: false,
      target: "es2022",
      lib: { entry: join(root, "src", "index.ts"), formats: ["iife"], name: "sonkrag" },
    },
    plugins: [
      {
        // Vite would put an empty stub in the place of a module of Node and go on.
        name: "only-own-files",
        enforce: "pre",
        resolveId(source, importer) {
          if (importer !== undefined && !source.startsWith(".")) outside.push(`${importer} imports ${source}`);
        },
      },
    ],
  });
  if (outside.length > 0) return { ok: false, output: `Expected the core to need nothing but itself, got:\n${outside.join("\n")}\n` };
  const [output] = Array.isArray(built) ? built : [];
  if (output === undefined) throw new Error("expected one bundle from Vite, got none");
  const code = output.output[0].code;
  const context = createContext(Object.create(null));
  runInContext(code, context);
  const names = /** @type {string[]} */ (runInContext("Object.keys(sonkrag)", context));
  if (names.length === 0) return { ok: false, output: "Expected src/index.ts to export something, got nothing.\n" };
  return { ok: true, output: `${names.length} exports, ${code.length} characters\n` };
}
