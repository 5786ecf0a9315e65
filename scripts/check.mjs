/**
 * `npm run check`: everything a change must pass. Each step runs even when an earlier one failed, so one run shows all.
 * `--no-tests` leaves the tests out, for a caller that runs `npm test` itself.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { bundleForBrowser } from "./check-browser.mjs";
import { checkPackage } from "./check-package.mjs";
import { NotReady, ready, root } from "./ready.mjs";

const withTests = !process.argv.includes("--no-tests");

/**
 * @typedef {{ ok: boolean, output: string }} Result
 */

/**
 * Runs a tool of node_modules. Its output goes through a file: into a pipe that is full for a moment, oxlint fails to write.
 * @param {string} path below node_modules
 * @param {string[]} args
 * @returns {Result}
 */
function tool(path, ...args) {
  const file = join(root, ".cache", `check-${process.pid}.txt`);
  mkdirSync(dirname(file), { recursive: true });
  const out = openSync(file, "w");
  try {
    const { status, signal } = spawnSync(process.execPath, [join(root, "node_modules", path), ...args], {
      cwd: root,
      stdio: ["ignore", out, out],
    });
    return { ok: status === 0, output: `${readFileSync(file, "utf8")}${signal === null ? "" : `ended by ${signal}\n`}` };
  } finally {
    closeSync(out);
    rmSync(file);
  }
}

/** @param {string[]} args */
function git(...args) {
  const { status, stdout, stderr } = spawnSync("git", args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`git ${args.join(" ")} failed: ${stderr}`);
  return stdout;
}

/** What differs from the commit, by name, and a hash over the contents. */
function workTree() {
  const status = git("status", "--porcelain", "--untracked-files=all");
  return {
    status,
    hash: createHash("sha256")
      .update(status)
      .update(git("diff", "HEAD", "--binary"))
      .digest("hex"),
  };
}

/** Long enough to be watched, so it prints for itself. */
function tests() {
  const { status } = spawnSync(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run"], { cwd: root, stdio: "inherit" });
  return { ok: status === 0, output: "" };
}

/** dependency-cruiser passes when it sees nothing at all, so what it saw is counted against the files there are. */
function walls() {
  const result = tool(
    "dependency-cruiser/bin/dependency-cruise.mjs",
    "src",
    "web",
    "--config",
    ".dependency-cruiser.mjs",
    "--output-type",
    "err-long",
  );
  const seen = Number(/(\d+) modules/.exec(result.output)?.[1] ?? 0);
  const there = ["src", "web/src"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).filter((name) => /\.tsx?$/.test(String(name))),
  );
  if (seen >= there.length) return result;
  return {
    ok: false,
    output: `${result.output}Expected at least the ${there.length} files of src and web/src to be examined, got ${seen}.\n`,
  };
}

const before = workTree();

/** @type {Record<string, () => Result | Promise<Result>>} */
const steps = {
  build: async () => {
    await ready();
    return { ok: true, output: "" };
  },
  format: () => tool("prettier/bin/prettier.cjs", "--check", "--log-level", "warn", "."),
  lint: () => tool("oxlint/bin/oxlint", "--type-aware", "--deny-warnings"),
  types: () => tool("typescript/bin/tsc", "-b"),
  walls,
  unused: () => tool("knip/bin/knip.js", "--no-progress"),
  ...(withTests && { tests }),
  package: checkPackage,
  browser: bundleForBrowser,
  "clean tree": () => {
    const after = workTree();
    // At a desk the work in progress may stay as it was; the build server starts from a commit and must end there.
    const ok = process.env["CI"] === "true" ? after.status === "" : after.hash === before.hash;
    return { ok, output: ok ? "" : `Expected the checks to leave no file new or changed, got:\n${after.status}` };
  },
};

const failed = [];
for (const [name, step] of Object.entries(steps)) {
  const start = performance.now();
  /** @type {Result} */
  let result;
  try {
    result = await step();
  } catch (error) {
    result = { ok: false, output: error instanceof NotReady ? error.message : `${error instanceof Error ? error.stack : String(error)}` };
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${result.ok ? "ok    " : "FAILED"}  ${name.padEnd(10)} ${seconds.padStart(6)} s`);
  if (!result.ok) failed.push(name);
  if (!result.ok && result.output !== "") console.log(result.output.trimEnd().replaceAll(/^/gm, "    "));
}
if (!withTests) console.log("        tests not run here (--no-tests)");
console.log(failed.length === 0 ? "All checks passed." : `Failed: ${failed.join(", ")}.`);
process.exitCode = failed.length === 0 ? 0 : 1;
