import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./mosquitto.ts";
import { eventually } from "./readings.ts";

/** How one of the databases of Debian's packages is run by a test. */
export interface DatabaseKind {
  readonly program: string;
  readonly debianPackage: string;
  /** Arguments; files go below the folder. */
  readonly args: (folder: string, port: number) => Promise<readonly string[]>;
  /** Where it says that it is ready. */
  readonly healthPath: string;
  /** How hard an outage can be without the database losing what it has taken. */
  readonly outage: "SIGKILL" | "SIGTERM";
}

export const influxdb: DatabaseKind = {
  program: "influxd",
  debianPackage: "influxdb",
  args: async (folder, port) => {
    const file = join(folder, "influxdb.conf");
    const lines = [
      "reporting-disabled = true",
      'bind-address = "127.0.0.1:0"',
      `[meta]\ndir = "${folder}/meta"`,
      `[data]\ndir = "${folder}/data"\nwal-dir = "${folder}/wal"`,
      `[http]\nbind-address = "127.0.0.1:${port}"\nlog-enabled = false`,
      "[monitor]\nstore-enabled = false",
    ];
    await writeFile(file, `${lines.join("\n")}\n`);
    return ["-config", file];
  },
  healthPath: "/ping",
  outage: "SIGKILL",
};

export const victoriaMetrics: DatabaseKind = {
  program: "victoria-metrics",
  debianPackage: "victoria-metrics",
  args: (folder, port) =>
    Promise.resolve([
      `-storageDataPath=${folder}/data`,
      `-httpListenAddr=127.0.0.1:${port}`,
      "-retentionPeriod=100y",
      // A batch whose outcome was unclear comes twice: equal points at one time are then one.
      "-dedup.minScrapeInterval=1ms",
    ]),
  healthPath: "/health",
  // It puts on the disk every few seconds only: what a kill takes is its own loss.
  outage: "SIGTERM",
};

/** True where the program is installed; else says how to get it. */
export function isInstalled({ program, debianPackage }: DatabaseKind): boolean {
  const isThere = spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
  if (!isThere) console.warn(`Not tested: ${program} is missing (apt-get install ${debianPackage})`);
  return isThere;
}

/** A real database in a process of its own, on a port that stays the same when it is stopped and started again. */
export class Database implements AsyncDisposable {
  readonly url: string;
  readonly #kind: DatabaseKind;
  readonly #folder: string;
  readonly #port: number;
  #process: ChildProcess | undefined;

  private constructor(kind: DatabaseKind, port: number, folder: string) {
    this.#kind = kind;
    this.#port = port;
    this.#folder = folder;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(kind: DatabaseKind): Promise<Database> {
    const database = new Database(kind, await freePort(), await mkdtemp(join(tmpdir(), "sonkrag-database-")));
    await database.restart();
    return database;
  }

  async restart(): Promise<void> {
    const { program, args, healthPath } = this.#kind;
    const child = spawn(program, await args(this.#folder, this.#port), { stdio: "ignore" });
    this.#process = child;
    await eventually(
      `${program} answers`,
      async () => {
        if (child.exitCode !== null) throw new Error(`Expected ${program} to run, got exit code ${child.exitCode}`);
        return await fetch(`${this.url}${healthPath}`).then(
          ({ ok }) => ok,
          () => false,
        );
      },
      20_000,
    );
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exit = once(child, "exit");
    child.kill(this.#kind.outage);
    await exit;
  }

  /** Asks; the answer as text. */
  async ask(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<string> {
    const response = await fetch(`${this.url}${path}`, { method: "POST", body: new URLSearchParams(parameters) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} ${JSON.stringify(parameters)}: expected an answer, got ${response.status}: ${text}`);
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
