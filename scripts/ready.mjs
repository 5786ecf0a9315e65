/**
 * Makes sure that dependencies are installed and the build is current; says nothing and takes no time when they are.
 * Runs before anything is installed, so it uses Node alone.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** A failure whose message is for the person at the terminal; no stack is shown. */
export class NotReady extends Error {}

/** @param {string[]} parts */
const at = (...parts) => join(root, ...parts);

/** @param {string} file */
const readJson = (file) => JSON.parse(readFileSync(file, "utf8"));

/**
 * Does `version` (as `v20.19.1`) fit a range made of `^a.b.c` and `>=a.b.c` joined by `||`?
 * @param {string} version
 * @param {string} range
 */
export function satisfies(version, range) {
  const have = version.replace(/^v/, "").split(".").map(Number.parseFloat);
  return range.split("||").some((alternative) => {
    const match = /^\s*(\^|>=)(\d+)\.(\d+)\.(\d+)\s*$/.exec(alternative);
    if (match === null) throw new NotReady(`package.json engines: expected ^a.b.c or >=a.b.c, got "${alternative.trim()}"`);
    const want = match.slice(2).map(Number);
    if (match[1] === "^" && have[0] !== want[0]) return false;
    for (let i = 0; i < 3; i++) if (have[i] !== want[i]) return (have[i] ?? 0) > (want[i] ?? 0);
    return true;
  });
}

/**
 * The first locked package that is not installed as locked, or undefined. npm keeps what it installed in a lock file of
 * its own, written last, so an interrupted installation counts as none.
 * @param {string} directory
 * @returns {string | undefined}
 */
export function missingPackage(directory) {
  const installedFile = join(directory, "node_modules", ".package-lock.json");
  if (!existsSync(installedFile)) return "everything";
  const locked = readJson(join(directory, "package-lock.json")).packages;
  const installed = readJson(installedFile).packages;
  return Object.keys(locked).find((path) => {
    if (path === "") return false;
    const want = locked[path];
    const have = installed[path];
    // Optional packages of other platforms are locked and never installed.
    if (have === undefined) return want.optional !== true && want.devOptional !== true;
    return have.version !== want.version || have.integrity !== want.integrity;
  });
}

/**
 * One hash over name, size and modification time of every file in the given places.
 * @param {string[]} places
 */
function fingerprint(places) {
  const hash = createHash("sha256");
  /** @param {string} path */
  const visit = (path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (!stat.isDirectory()) return void hash.update(`${relative(root, path)} ${stat.size} ${stat.mtimeMs}\n`);
    for (const name of readdirSync(path).sort()) if (name !== "dist" && name !== "node_modules") visit(join(path, name));
  };
  places.forEach((place) => visit(at(place)));
  return hash.digest("hex");
}

/** Both parts of the build, each with everything that it is made from. */
const parts = {
  program: {
    inputs: ["src", "tsconfig.base.json", "tsconfig.build.json", "package-lock.json"],
    output: "dist/cli/main.js",
    says: "Compiling the program",
    command: ["node_modules/typescript/bin/tsc", "-b", "tsconfig.build.json"],
  },
  page: {
    inputs: ["web", "src/model", "src/api", "package-lock.json"],
    output: "web/dist/index.html",
    says: "Building the page",
    command: ["node_modules/vite/bin/vite.js", "build", "web", "--logLevel", "warn"],
  },
};

const stampFile = at("dist", ".build", "stamp.json");

/** The parts whose inputs changed since they were built, with the fingerprint to remember once they are built. */
function outdatedParts() {
  /** @type {Record<string, string>} */
  const stamp = existsSync(stampFile) ? readJson(stampFile) : {};
  return Object.entries(parts)
    .map(([name, part]) => ({ name, part, print: fingerprint(part.inputs) }))
    .filter(({ name, part, print }) => stamp[name] !== print || !existsSync(at(part.output)));
}

/**
 * @param {string} name
 * @param {string} print
 */
function remember(name, print) {
  const stamp = existsSync(stampFile) ? readJson(stampFile) : {};
  mkdirSync(at("dist", ".build"), { recursive: true });
  const fresh = `${stampFile}.${process.pid}`;
  writeFileSync(fresh, JSON.stringify({ ...stamp, [name]: print }));
  renameSync(fresh, stampFile);
}

/**
 * @param {string} title
 * @param {string[]} args arguments of Node
 */
async function node(title, args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: "inherit" });
  /** @type {string | number} */
  const end = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(signal ?? code ?? "nothing"));
  });
  if (end !== 0) throw new NotReady(`${title} failed (${typeof end === "number" ? `exit code ${end}` : end}); the messages above say why.`);
}

async function install() {
  // Started by npm, its path is known; started by hand, npm lies beside node.
  const npm = [process.env["npm_execpath"], join(process.execPath, "../../lib/node_modules/npm/bin/npm-cli.js")].find(
    (path) => path !== undefined && /npm-cli\.[cm]?js$/.test(path) && existsSync(path),
  );
  if (npm === undefined) throw new NotReady("npm was not found beside Node. Install npm, or run `npm ci` yourself.");
  // Building needs development dependencies even where NODE_ENV is production.
  await node("Installing dependencies", [npm, "ci", "--include=dev", "--no-audit", "--no-fund"]);
}

/** Removes compiled files whose source is gone: the compiler never does, and the package would carry them. */
function prune() {
  /** @param {string} directory */
  const visit = (directory) => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== ".build") visit(path);
      } else if (!existsSync(at("src", relative(at("dist"), path).replace(/(\.d\.ts|\.js|\.js\.map)$/, ".ts")))) {
        rmSync(path);
      }
    }
  };
  visit(at("dist"));
}

/** Only one process at a time installs or builds here; `npm start` and `npm test` may be typed together. */
async function lock() {
  const file = at(".cache", "ready.lock");
  mkdirSync(at(".cache"), { recursive: true });
  let told = false;
  for (;;) {
    try {
      const handle = openSync(file, "wx");
      writeFileSync(handle, String(process.pid));
      closeSync(handle);
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const stat = statSync(file, { throwIfNoEntry: false });
    const holder = stat === undefined ? "" : readFileSync(file, "utf8");
    // An empty file is being written this moment, unless it is old.
    if (stat !== undefined && (holder === "" ? Date.now() - stat.mtimeMs > 2000 : !isAlive(Number(holder)))) rmSync(file, { force: true });
    else {
      if (!told) console.log(`Waiting for the build that process ${holder} runs.`);
      told = true;
      await sleep(100);
    }
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

export async function ready() {
  const { engines } = readJson(at("package.json"));
  if (!satisfies(process.version, engines.node)) {
    throw new NotReady(`Node ${engines.node} is needed, this is ${process.version}. See https://nodejs.org/en/download.`);
  }
  if (missingPackage(root) === undefined && outdatedParts().length === 0) return;

  const unlock = await lock();
  try {
    if (missingPackage(root) !== undefined) {
      console.log("Installing dependencies (npm ci)");
      await install();
    }
    const builds = outdatedParts().map(async ({ name, part, print }) => {
      console.log(part.says);
      await node(part.says, part.command);
      if (name === "program") prune();
      remember(name, print);
    });
    const failed = (await Promise.allSettled(builds)).find((build) => build.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  } finally {
    unlock();
  }
}

/**
 * `ready()` for a script: a failure for the person at the terminal ends the process with one line.
 */
export async function readyOrExit() {
  try {
    await ready();
  } catch (error) {
    if (!(error instanceof NotReady)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await readyOrExit();
