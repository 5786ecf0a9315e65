import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LiveInverter, LiveSnapshot } from "../../src/api/live.ts";
import { ended, startCli, type CliOptions, type Ended } from "../integration/cli.ts";

/** A `sonkrag` that runs until it is stopped, in a process of its own. */
export class Service implements AsyncDisposable {
  readonly pid: number;
  /** What it printed on stdout until it was ready. */
  readonly output: string;
  readonly #child: ReturnType<typeof startCli>;
  readonly #end: Promise<Ended>;

  private constructor(child: ReturnType<typeof startCli>, end: Promise<Ended>, output: string) {
    this.pid = child.pid ?? 0;
    this.output = output;
    this.#child = child;
    this.#end = end;
  }

  /** Waits until its stdout says that it is ready. */
  static async start(args: readonly string[], ready: RegExp, options: CliOptions = {}): Promise<Service> {
    const child = startCli(args, options);
    const end = ended(child);
    let output = "";
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (text: string) => {
        output += text;
        if (ready.test(output)) resolve();
      });
      end.then(({ exit, stderr }) => reject(new Error(`${args.join(" ")} ended with ${exit}: ${stderr}`)), reject);
    });
    return new Service(child, end, output);
  }

  /** The words behind a label of the announcement, e.g. `page`. */
  announced(label: string): string {
    const found = new RegExp(`^ +${label} +(\\S+)`, "m").exec(this.output)?.[1];
    if (found === undefined) throw new Error(`Expected ${label} to be announced, got: ${this.output}`);
    return found;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Ended> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal);
    return await this.#end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
  }
}

/** A simulated inverter on a pseudo-terminal. */
export async function servePty(path: string, ...more: readonly string[]): Promise<Service> {
  return await Service.start(["simulate", "--pty", path, ...more], /serial:.*\n/);
}

/** The program, its ports free ones and everything else as given. */
export async function startProgram(dataDir: string, ...more: readonly string[]): Promise<Service> {
  return await Service.start(["run", "--http", "0", "--data-dir", dataDir, ...more], /Ctrl-C/);
}

export async function snapshotOf(program: Service): Promise<LiveSnapshot> {
  const response = await fetch(new URL("/api/v1/snapshot", program.announced("page")), { signal: AbortSignal.timeout(5000) });
  return (await response.json()) as LiveSnapshot;
}

/** The only inverter of a program, or the one at a device. */
export async function inverterOf(program: Service, device?: string): Promise<LiveInverter | undefined> {
  const { inverters } = await snapshotOf(program);
  return inverters.find(({ info }) => device === undefined || info.device === device);
}

/** Time of the latest answer to QPIGS, epoch ms; 0 when there is none yet. */
export async function latestAt(program: Service, device?: string): Promise<number> {
  return (await inverterOf(program, device))?.readings["QPIGS"]?.at ?? 0;
}

/** Children of a process, by id; killed by nobody but the caller. */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.trim().split(" ").filter(Boolean).map(Number);
}

/** The lines of the only text log file; empty while there is none. */
export async function logLines(folder: string): Promise<string[]> {
  const [name, ...others] = (await readdir(folder).catch(() => [])).filter((each) => each.endsWith(".log"));
  if (others.length > 0) throw new Error(`Expected one file, got ${String([name, ...others])}`);
  if (name === undefined) return [];
  return (await readFile(join(folder, name), "utf8")).split("\n");
}

/** A folder that is gone with the test. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "sonkrag-test-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/**
 * Lines of a log in the older script's form, each with its own number in the fields for apparent and for PV power; a header and a
 * damaged line are among them, as in the real ones.
 */
export function numberedLog(count: number): string[] {
  const lines = Array.from({ length: count }, (_, index) => {
    const second = String(index % 60).padStart(2, "0");
    const number = String(index).padStart(4, "0");
    return `2020-08-23 17:14:${second}.243004,233.8 49.9 230.${index % 10} 49.9 ${number} 0138 004 4${String(index % 100).padStart(2, "0")} 52.00 000 100 0048 0012 111.0 00.00 00001 00010101 00 00 0${number} 110`;
  });
  lines.splice(3, 0, "2020-08-23 17:14:33.243004,233.8 49.9 2(33.8 49.9 0210");
  return ["Datum Zeit Werte", ...lines, ""];
}
