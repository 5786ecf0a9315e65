import { loadConfig, type ConfigFlags } from "../app/config-file.ts";
import { createLogger } from "../app/logger.ts";
import { run } from "../app/run.ts";
import type { Exit } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

export interface RunArguments extends ConfigFlags {
  readonly config?: string;
}

/** Reads, records and shows until stopped. */
export async function runService(options: RunArguments, terminal: Terminal): Promise<Exit> {
  const { config, file } = loadConfig({ file: options.config, flags: options, env: terminal.env, cwd: terminal.cwd });
  const logger = createLogger({ ...config.log, write: (line) => terminal.stderr.write(line) });
  if (file !== undefined) logger.info(`Configuration: ${file}`);
  try {
    await run(config, { logger, tell: (line) => terminal.stdout.write(`${line}\n`) }, terminal);
  } catch (error) {
    // Being stopped is how it ends; anything else is a failure also while it is being stopped.
    if (!terminal.signal.aborted || error !== terminal.signal.reason) throw error;
  }
  return "ok";
}
