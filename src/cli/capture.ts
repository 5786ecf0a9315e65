import { resolve } from "node:path";
import { capture } from "../app/capture.ts";
import { loadConfig, type ConfigFlags } from "../app/config-file.ts";
import { durationMs } from "../app/duration.ts";
import { createLogger } from "../app/logger.ts";
import { ConfigError } from "../model/errors.ts";
import type { Exit } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

export interface CaptureArguments extends ConfigFlags {
  readonly config?: string;
  readonly inverter?: string;
  /** As typed. */
  readonly for?: string;
}

/** Records raw traffic into a file, for some time or until stopped. */
export async function captureTraffic(file: string, options: CaptureArguments, terminal: Terminal): Promise<Exit> {
  const forMs = options.for === undefined ? undefined : durationMs(options.for);
  if (forMs !== undefined && !(forMs > 0))
    throw new ConfigError(`--for: expected a duration such as 5min, got ${JSON.stringify(options.for)}`);
  const flags: ConfigFlags = { ...options, logLevel: options.logLevel ?? "warn" };
  const { config } = loadConfig({ file: options.config, flags, env: terminal.env, cwd: terminal.cwd });
  const logger = createLogger({ ...config.log, write: (line) => terminal.stderr.write(line) });
  const tell = (line: string): boolean => terminal.stderr.write(`${line}\n`);
  try {
    await capture(
      { config, logger, file: resolve(terminal.cwd, file), forMs, inverter: options.inverter, devices: options.device, tell },
      terminal,
    );
  } catch (error) {
    // Being stopped is one of its ends.
    if (!terminal.signal.aborted || error !== terminal.signal.reason) throw error;
  }
  return "ok";
}
