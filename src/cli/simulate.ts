import { simulate, parseFaults, type SimulateOptions } from "../app/simulate.ts";
import { durationMs } from "../app/duration.ts";
import { ConfigError } from "../model/errors.ts";
import type { Exit } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

/** As typed; numbers are read already. */
export interface SimulateArguments extends Omit<
  SimulateOptions,
  "faults" | "secondReader" | "withoutParallelQuery" | "report" | "listening"
> {
  readonly fault?: readonly string[];
  readonly secondReader?: string;
  readonly withoutParallelQuery?: readonly string[];
}

/** Serves simulated inverters until stopped. Addresses go to stdout, one a line, as soon as all of them answer. */
export async function serveSimulator(
  { fault, secondReader, withoutParallelQuery, ...options }: SimulateArguments,
  terminal: Terminal,
): Promise<Exit> {
  await simulate(
    {
      ...options,
      ...(fault === undefined ? {} : { faults: parseFaults(fault) }),
      ...(secondReader === undefined ? {} : { secondReader: { everyMs: everyMs(secondReader) } }),
      ...(withoutParallelQuery === undefined ? {} : { withoutParallelQuery: withoutParallelQuery.map(unitNumber) }),
      report: (line) => terminal.stderr.write(`${line}\n`),
      listening: (addresses) => terminal.stdout.write(addresses.map((address) => `${address}\n`).join("")),
    },
    terminal,
  );
  return "ok";
}

function everyMs(given: string): number {
  const ms = durationMs(given);
  if (!(ms > 0)) throw new ConfigError(`--second-reader: expected a duration such as 30s, got ${JSON.stringify(given)}`);
  return ms;
}

function unitNumber(given: string): number {
  if (!/^[0-8]$/.test(given)) throw new ConfigError(`--without-parallel-query: expected 0 to 8, got ${JSON.stringify(given)}`);
  return Number(given);
}
