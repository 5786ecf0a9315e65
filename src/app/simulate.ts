import { readFile } from "node:fs/promises";
import { ConfigError } from "../model/errors.ts";
import { nominalBaud } from "../session/transport.ts";
import { faultKinds, type FaultKind, type FaultRates } from "../sim/faults.ts";
import type { Journal, JournalEntry } from "../sim/journal.ts";
import { Recorded } from "../sim/recorded.ts";
import { Simulation, type SimLine, type SimulationOptions } from "../sim/transport.ts";
import { readCapture } from "./capture-file.ts";
import { LinePump } from "./line-pump.ts";
import { PtyOutlet } from "./pty-outlet.ts";
import { systemClock } from "./system-clock.ts";
import { TcpOutlet } from "./tcp-outlet.ts";
import { together } from "./together.ts";

/** What is simulated, and how. */
const simulated = [
  "units",
  "phases",
  "sameSerial",
  "withoutParallelQuery",
  "model",
  "settings",
  "seed",
  "speed",
  "baud",
  "latencyMs",
  "faults",
  "lateMs",
  "secondReader",
] as const satisfies readonly (keyof SimulationOptions)[];

export interface SimulateOptions extends Pick<SimulationOptions, (typeof simulated)[number]> {
  /** Path of the pseudo-terminal; further units get `PATH-2`, `PATH-3` … */
  readonly pty?: string;
  /** TCP port; further units get the ports behind it. 0 takes any free one for each. */
  readonly tcp?: number;
  /** Address to listen on, 127.0.0.1 by default. */
  readonly host?: string;
  /** Path of a log of the older script, whose good lines answer QPIGS. */
  readonly replay?: string;
  /** Path of a capture or a diagnosis file, which answers in place of a simulated unit. */
  readonly capture?: string;
  /** How long the line stays away after a disconnect fault, ms; 1000 by default. */
  readonly unpluggedMs?: number;
  /** Takes what is to be told, a line each: where it listens, the counters on SIGUSR1 and at the end. */
  readonly report: (line: string) => void;
  /** Called once when everything listens, with `serial:PATH` and `tcp://HOST:PORT` for each unit. */
  readonly listening?: (addresses: readonly string[]) => void;
}

/** Serves simulated inverters until aborted. Rejects with ConfigError or TransportError when it cannot. */
export async function simulate(options: SimulateOptions, { signal }: { readonly signal: AbortSignal }): Promise<void> {
  signal.throwIfAborted();
  if (options.pty === undefined && options.tcp === undefined)
    throw new ConfigError("simulate: expected --pty PATH or --tcp PORT, got neither");
  const simulation = await prepare(options);
  const told = { entries: 0 };
  const reportCounters = (): void => [...journalLines(simulation.journal, told), countersLine(simulation)].forEach(options.report);
  const last = simulation.lines.at(-1);
  const switchLast = (): void => {
    last?.setPowered(!last.powered);
    options.report(`unit ${simulation.lines.length - 1} is switched ${last?.powered === true ? "on" : "off"}`);
  };
  process.on("SIGUSR1", reportCounters);
  process.on("SIGUSR2", switchLast);
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const addresses: string[] = [];
  const expected = simulation.lines.length * ((options.pty === undefined ? 0 : 1) + (options.tcp === undefined ? 0 : 1));
  const announce = (address: string, unit: number): void => {
    if (addresses.includes(address)) return;
    addresses.push(address);
    const said =
      options.capture === undefined
        ? `simulated inverter ${simulation.lines[unit]?.serialNumber ?? ""}`
        : `inverter recorded in ${options.capture}`;
    const pace = options.baud === 0 ? "unpaced" : `${options.baud ?? nominalBaud} baud`;
    options.report(`${said} at ${address}, ${pace}`);
    if (addresses.length === expected) options.listening?.(addresses);
  };
  try {
    await together(
      simulation.lines.map((line, unit) => serve(line, unit, options, (address) => announce(address, unit), stop)),
      failed,
    );
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    process.off("SIGUSR1", reportCounters);
    process.off("SIGUSR2", switchLast);
    reportCounters();
  }
}

async function prepare(options: SimulateOptions): Promise<Simulation> {
  if (options.capture !== undefined) return await prepareRecorded(options.capture, options);
  const { replay, unpluggedMs = 1000 } = options;
  const given: Partial<SimulationOptions> = Object.fromEntries(
    simulated.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  );
  const replayLines = replay === undefined ? undefined : (await readLog(replay)).split("\n");
  return new Simulation({ clock: systemClock, unpluggedMs, ...given, ...(replayLines && { replayLines }) });
}

/** The recorded unit on a line as fast as it was recorded on. */
async function prepareRecorded(path: string, options: SimulateOptions): Promise<Simulation> {
  if ((["replay", ...simulated] as const).some((name) => name !== "baud" && options[name] !== undefined))
    throw new ConfigError("--capture: expected no option that changes what was recorded (but --baud), got one");
  const recorded = new Recorded(await readCapture(path));
  if (recorded.commands.length === 0) throw new ConfigError(`--capture ${path}: expected at least one question, got none`);
  const { unpluggedMs = 1000, baud = Math.round(10_000 / recorded.wire.byteMs) } = options;
  return new Simulation({ clock: systemClock, unpluggedMs, baud, recorded });
}

async function readLog(path: string): Promise<string> {
  try {
    return await readFile(path, "latin1");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`--replay ${path}: expected a readable log, got ${why}`, { cause });
  }
}

/** One unit's line on its pty and its TCP port. */
async function serve(
  line: SimLine,
  unit: number,
  options: SimulateOptions,
  announce: (address: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { unpluggedMs = 1000, host = "127.0.0.1" } = options;
  let back: NodeJS.Timeout | undefined;
  const received = (bytes: Uint8Array): void => pump.feed(bytes);
  const ptyPath = options.pty === undefined ? undefined : unit === 0 ? options.pty : `${options.pty}-${unit + 1}`;
  const pty = ptyPath === undefined ? undefined : new PtyOutlet(ptyPath, systemClock, received);
  const tcp = options.tcp === undefined ? undefined : new TcpOutlet(host, options.tcp === 0 ? 0 : options.tcp + unit, received);
  const pump = new LinePump(line, {
    send(bytes) {
      pty?.send(bytes);
      tcp?.send(bytes);
    },
    lost() {
      if (back !== undefined) return;
      pty?.unplug(unpluggedMs);
      tcp?.unplug();
      back = setTimeout(() => {
        back = undefined;
        tcp?.plugIn();
        pump.connect();
      }, unpluggedMs);
    },
  });
  pump.connect();
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  try {
    await together(
      [
        ...(pty === undefined ? [] : [pty.run({ ready: () => announce(`serial:${pty.path}`), signal: stop })]),
        ...(tcp === undefined ? [] : [tcp.run({ ready: (port) => announce(`tcp://${host}:${port}`), signal: stop })]),
      ],
      failed,
    );
  } finally {
    clearTimeout(back);
    pump.close();
  }
}

/** What came since the last time and was no inquiry, a line each, and how much of it there was in all. */
function journalLines({ entries, setters, unreadable }: Journal, told: { entries: number }): string[] {
  const fresh = setters + unreadable - told.entries;
  told.entries = setters + unreadable;
  const lines = fresh === 0 ? [] : entries.slice(-fresh).map(lineOf);
  return [...lines, `setters=${setters} unreadable=${unreadable}`];
}

function lineOf({ at, unit, command, bytes, answer, outcome }: JournalEntry): string {
  return `${new Date(at).toISOString()} unit ${unit} got ${command || "something unreadable"} (${bytes}): ${[answer, outcome].filter(Boolean).join(", ")}`;
}

function countersLine({ lines, injected }: Simulation): string {
  const requests = lines.reduce((sum, line) => sum + line.requests, 0);
  const counts = faultKinds.filter((kind) => injected[kind] > 0).map((kind) => `${kind}=${injected[kind]}`);
  return `requests=${requests} injected: ${counts.join(" ") || "none"}`;
}

/** Reads `KIND=RATE`, once for each kind; the rate is a share (`0.05`) or a percentage (`5%`). Throws ConfigError. */
export function parseFaults(texts: readonly string[]): FaultRates {
  const rates: Partial<Record<FaultKind, number>> = {};
  for (const text of texts) {
    const [, name, number, percent] = /^([a-z]+)=(\d+(?:\.\d+)?|\.\d+)(%?)$/.exec(text) ?? [];
    const kind = faultKinds.find((known) => known === name);
    if (kind === undefined)
      throw new ConfigError(`--fault: expected KIND=RATE with KIND one of ${faultKinds.join(", ")}, got ${JSON.stringify(text)}`);
    rates[kind] = Number(number) / (percent === "%" ? 100 : 1);
  }
  const sum = Object.values(rates).reduce((total, rate) => total + rate, 0);
  if (sum > 1 + 1e-9) throw new ConfigError(`--fault: expected rates that add up to at most 1, got ${sum}`);
  return rates;
}
