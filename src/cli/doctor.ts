import { resolve } from "node:path";
import { writeBundle } from "../app/bundle-file.ts";
import { loadConfig, type ConfigFlags } from "../app/config-file.ts";
import { examine, type Finding } from "../app/doctor.ts";
import { durationMs } from "../app/duration.ts";
import { createLogger } from "../app/logger.ts";
import { RecentLog } from "../app/recent-log.ts";
import { ConfigError } from "../model/errors.ts";
import type { Exit } from "./exit.ts";
import { print, type Terminal } from "./terminal.ts";

export interface DoctorOptions extends ConfigFlags {
  readonly config?: string;
  readonly json?: boolean;
  /** Where the diagnosis file goes. */
  readonly bundle?: string;
  /** As typed. */
  readonly for?: string;
}

const marks: Readonly<Record<Finding["state"], string>> = { ok: "ok", note: "note", problem: "PROBLEM" };

/** Prints each finding as it is made; fails if one of them is a problem. */
export async function doctor(options: DoctorOptions, terminal: Terminal): Promise<Exit> {
  const flags: ConfigFlags = { ...options, logLevel: options.logLevel ?? "warn" };
  const { config, file } = loadConfig({ file: options.config, flags, env: terminal.env, cwd: terminal.cwd });
  const logger = new RecentLog(createLogger({ ...config.log, write: (line) => terminal.stderr.write(line) }));
  const forMs = durationMs(options.for ?? "1min");
  if (!(forMs > 0)) throw new ConfigError(`--for: expected a duration such as 1min, got ${JSON.stringify(options.for)}`);
  let problems = 0;
  for await (const finding of examine({ config, file, logger }, terminal)) {
    if (finding.state === "problem") problems += 1;
    await print(terminal, options.json ? `${JSON.stringify(finding)}\n` : findingText(finding));
  }
  if (!options.json)
    await print(terminal, problems === 0 ? "No problem found.\n" : `${problems === 1 ? "One problem" : `${problems} problems`} found.\n`);
  if (options.bundle !== undefined) {
    const bundleFile = resolve(terminal.cwd, options.bundle);
    await writeBundle({ config, logger, file: bundleFile, forMs, tell: (line) => terminal.stderr.write(`${line}\n`) }, terminal);
  }
  return problems === 0 ? "ok" : "failed";
}

function findingText({ check, state, says, advice }: Finding): string {
  const head = `${marks[state].padEnd(8)}${check.padEnd(14)}`;
  return `${head}${says}\n${advice === undefined ? "" : `${" ".repeat(head.length)}→ ${advice}\n`}`;
}
