/** The built programs, each in a process of its own: `sonkrag simulate` behind a pseudo-terminal, and `sonkrag run`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "../scripts/ready.mjs";
import { bytesRead, childOf } from "./proc.mjs";

export const mainFile = join(root, "dist", "cli", "main.js");
const patienceMs = 30_000;

/**
 * Looks again and again until there is something to return.
 * @template T
 * @param {string} what
 * @param {() => T | undefined | Promise<T | undefined>} look
 * @param {number} [everyMs]
 * @returns {Promise<T>}
 */
export async function until(what, look, everyMs = 10) {
  const limit = performance.now() + patienceMs;
  while (performance.now() < limit) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(everyMs);
  }
  throw new Error(`expected ${what} within ${patienceMs / 1000} s, got nothing`);
}

/**
 * A program with what it has said so far.
 * @param {string} command
 * @param {string[]} args
 * @param {{ group?: boolean }} [options] `group`: stopping ends its children too
 */
export function start(command, args, { group = false } = {}) {
  const startedAt = performance.now();
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], detached: group });
  const said = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (/** @type {string} */ text) => (said.out += text));
  child.stderr.setEncoding("utf8").on("data", (/** @type {string} */ text) => (said.err += text));
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${command}: expected a process, got none`);
  const end = () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(group ? -pid : pid, "SIGTERM");
  };
  // Nothing is left behind when the bench itself is stopped.
  process.once("exit", end);
  const ended = once(child, "exit").finally(() => process.off("exit", end));
  return {
    pid,
    said,
    startedAt,
    /** @param {RegExp} pattern */
    says: (pattern) =>
      until(`${command} ${args.join(" ")} to say ${pattern}`, () => {
        if (child.exitCode !== null) throw new Error(`${command} ${args.join(" ")} ended: ${said.err.slice(-500)}`);
        return pattern.exec(said.out)?.[0];
      }),
    async stop() {
      end();
      await ended;
    },
  };
}

/**
 * @typedef {{ baud?: number, model?: string, replay?: string, faults?: Record<string, number>, seed?: number }} LineOptions
 */

/**
 * @param {string} pty
 * @param {LineOptions} options
 */
export async function startSimulator(pty, { baud = 2400, model = "king", replay, faults = {}, seed = 1 }) {
  const program = start(process.execPath, [
    mainFile,
    "simulate",
    `--pty=${pty}`,
    `--baud=${baud}`,
    `--model=${model}`,
    `--seed=${seed}`,
    ...(replay === undefined ? [] : ["--replay", replay]),
    ...Object.entries(faults).flatMap(([kind, rate]) => ["--fault", `${kind}=${rate}`]),
  ]);
  await program.says(/^serial:/m);
  const socat = childOf(program.pid);
  if (socat === undefined) throw new Error(`expected socat to keep ${pty}, got no such process`);
  return {
    ...program,
    /** Bytes over the line so far, both ways: all that the process between pty and simulator has read, and a constant. */
    lineBytes: () => bytesRead(socat),
  };
}

/**
 * @typedef {object} ProgramOptions
 * @property {string} device
 * @property {readonly string[]} [only] commands, asked as fast as the line goes; the default plan if absent
 * @property {boolean} [outputs] text log, MQTT and page; true by default
 */

/**
 * A configuration file with everything it needs in a folder of its own.
 * @param {string} folder
 * @param {ProgramOptions} options
 */
export async function writeConfig(folder, { device, only, outputs = true }) {
  const ports = { http: await freePort(), mqtt: await freePort() };
  const dataDir = join(folder, "data");
  // What an earlier run has learnt must not help a later one.
  rmSync(dataDir, { recursive: true, force: true });
  const file = join(folder, "sonkrag.yaml");
  const config = {
    dataDir,
    inverters: [{ device }],
    ...(only && { poll: { fast: "0s", medium: "0s", slow: "0s", only } }),
    textLog: { enabled: outputs, interval: "1s" },
    mqtt: { enabled: outputs, embeddedPort: ports.mqtt },
    http: { enabled: outputs, port: ports.http },
  };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config));
  return { file, url: `http://127.0.0.1:${ports.http}/`, mqtt: `mqtt://127.0.0.1:${ports.mqtt}` };
}

/**
 * @param {string} folder
 * @param {ProgramOptions} options
 */
export async function startProgram(folder, options) {
  const { file, url, mqtt } = await writeConfig(folder, options);
  const program = start(process.execPath, [mainFile, "run", "--config", file, "--log-level", "warn"]);
  return { ...program, url, mqtt, readings: () => readings(url) };
}

/**
 * What the program knows of its inverter; undefined while it knows of none or does not listen yet.
 * @param {string} url
 */
async function readings(url) {
  let response;
  try {
    response = await fetch(`${url}api/v1/snapshot`);
  } catch {
    return undefined;
  }
  const { inverters } = /** @type {import("../src/api/live.ts").LiveSnapshot} */ (await response.json());
  return inverters[0];
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  server.close();
  await once(server, "close");
  return port;
}
