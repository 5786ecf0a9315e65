/** Packs the package as a user gets it and uses it: every export, its types, and the program. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { root } from "./ready.mjs";

/** A step of using the package that went wrong, with what was printed. */
class Unusable extends Error {}

/**
 * @param {string} cwd
 * @param {string} command
 * @param {string[]} args
 */
function run(cwd, command, ...args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8", timeout: 120_000 });
  if (status !== 0) throw new Unusable(`${command} ${args.join(" ")} failed:\n${error?.message ?? `${stdout}${stderr}`}`);
  return stdout;
}

/** @param {string} directory receives the package under node_modules, beside what it depends on and nothing more */
function install(directory) {
  const [packed] = JSON.parse(run(root, "npm", "pack", "--json", "--ignore-scripts", "--pack-destination", directory));
  const installed = join(directory, "node_modules", "sonkrag");
  mkdirSync(installed, { recursive: true });
  run(directory, "tar", "-xzf", packed.filename, "-C", installed, "--strip-components=1");
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  // @types/node is what a TypeScript user of the Node exports has.
  for (const name of [...Object.keys(manifest.dependencies), "@types/node"]) {
    mkdirSync(dirname(join(directory, "node_modules", name)), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(directory, "node_modules", name));
  }
  return {
    manifest,
    installed,
    tarball: join(directory, packed.filename),
    files: packed.files.map((/** @type {{ path: string }} */ file) => file.path),
  };
}

/** @param {string} directory */
function usePackage(directory) {
  const { manifest, installed, tarball, files } = install(directory);
  const unwanted = files.filter((/** @type {string} */ path) => /\.test\.|tsbuildinfo|^dist\/\.build/.test(path));
  if (unwanted.length > 0) throw new Unusable(`Expected no build leftovers in the package, got: ${unwanted.join(", ")}`);
  if (!files.includes("web/dist/index.html")) throw new Unusable("Expected the page (web/dist/index.html) in the package, got none.");

  run(root, process.execPath, join(root, "node_modules/publint/src/cli.js"), tarball, "--strict");

  const exports = Object.keys(manifest.exports).filter((path) => path !== "./package.json");
  const specifiers = exports.map((path) => join("sonkrag", path));
  writeFileSync(
    join(directory, "use.mjs"),
    specifiers
      .map(
        (specifier) =>
          `if (Object.keys(await import("${specifier}")).length === 0) throw new Error("${specifier}: expected exports, got none");`,
      )
      .join("\n"),
  );
  run(directory, process.execPath, "use.mjs");

  writeFileSync(
    join(directory, "use.mts"),
    specifiers.map((specifier, i) => `import * as e${i} from "${specifier}";\nconsole.log(e${i});`).join("\n"),
  );
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const options = [
    "--noEmit",
    "--strict",
    "--module",
    "nodenext",
    "--target",
    "es2022",
    "--lib",
    "es2023,esnext.disposable",
    "--types",
    "node",
  ];
  run(directory, process.execPath, compiler, ...options, "use.mts");

  const program = join(installed, manifest.bin.sonkrag);
  if (!readFileSync(program, "utf8").startsWith("#!/usr/bin/env node\n"))
    throw new Unusable("Expected dist/cli/main.js to start with #!/usr/bin/env node");
  const help = run(directory, process.execPath, program, "--help");
  if (!help.includes("sonkrag")) throw new Unusable(`Expected sonkrag --help to name the program, got:\n${help}`);
  return `${files.length} files, ${specifiers.join(" ")}\n`;
}

export function checkPackage() {
  const directory = mkdtempSync(join(tmpdir(), "sonkrag-package-"));
  try {
    return { ok: true, output: usePackage(directory) };
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    return { ok: false, output: `${error.message}\n` };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
