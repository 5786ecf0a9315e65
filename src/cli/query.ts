import type { ConfigFlags } from "../app/config-file.ts";
import { loadConfig } from "../app/config-file.ts";
import { createLogger } from "../app/logger.ts";
import { query } from "../app/query.ts";
import { ReplyError } from "../model/errors.ts";
import { decodedOf, tableOf } from "./decoded.ts";
import type { Exit } from "./exit.ts";
import { print, type Terminal } from "./terminal.ts";

export interface QueryOptions extends ConfigFlags {
  readonly config?: string;
  readonly json?: boolean;
  readonly inverter?: string;
}

/** Asks the inverter one question and prints the answer. */
export async function queryInverter(command: string, options: QueryOptions, terminal: Terminal): Promise<Exit> {
  const flags: ConfigFlags = { ...options, logLevel: options.logLevel ?? "warn" };
  const { config } = loadConfig({ file: options.config, flags, env: terminal.env, cwd: terminal.cwd });
  const logger = createLogger({ ...config.log, write: (line) => terminal.stderr.write(line) });
  const { inverter, device, simulated, answer } = await query(
    command,
    { config, logger, inverter: options.inverter, devices: options.device },
    terminal,
  );
  const decoded = decodedOf(answer);
  if (options.json)
    await print(
      terminal,
      `${JSON.stringify({ ...(inverter !== undefined && { inverter }), device, simulated, at: answer.at, ...decoded })}\n`,
    );
  else if (answer.kind === "data") await print(terminal, `${simulated ? "SIMULATED: nothing here is real\n" : ""}${tableOf(decoded)}`);
  if (answer.kind === "data") return "ok";
  throw new ReplyError("reply-nak", `${device}: expected an answer to ${command}, got NAK`);
}
