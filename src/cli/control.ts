import { userInfo } from "node:os";
import { loadConfig, type ConfigFlags } from "../app/config-file.ts";
import type { Config } from "../app/config.ts";
import { withControl, type Call, type Where } from "../app/control/with-control.ts";
import { settingText } from "../protocol/setting.ts";
import { createLogger } from "../app/logger.ts";
import type { Outcome, OutcomeKind } from "../model/control.ts";
import type { SettingInfo } from "../model/setting.ts";
import type { Exit } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

/** Options of every subcommand that goes through control. */
export interface ControlOptions extends ConfigFlags {
  readonly config?: string;
  readonly inverter?: string;
  readonly json?: boolean;
}

/** Works with the control service, wherever it is. */
export async function controlled<T>(
  options: ControlOptions,
  terminal: Terminal,
  work: (call: Call, where: Where & { readonly config: Config }) => Promise<T>,
  { needsInverter = true }: { readonly needsInverter?: boolean } = {},
): Promise<T> {
  const flags: ConfigFlags = { ...options, logLevel: options.logLevel ?? "error" };
  const { config } = loadConfig({ file: options.config, flags, env: terminal.env, cwd: terminal.cwd });
  const logger = createLogger({ ...config.log, write: (line) => terminal.stderr.write(line) });
  const tell = (line: string): void => void terminal.stderr.write(`${line}\n`);
  return await withControl(
    { config, logger, tell, needsInverter, devices: options.device },
    (call, where) => work(call, { ...where, config }),
    terminal,
  );
}

/** The parameters that say which inverter is meant. */
export function inverterOf({ inverter }: ControlOptions): { readonly inverter?: string } {
  return inverter === undefined ? {} : { inverter };
}

/** Who asks, for the journal. */
export function asker(): { readonly by?: string } {
  try {
    return { by: userInfo().username };
  } catch {
    return {}; // a user without an entry in the list of users, as in some containers
  }
}

const exitAfterChange: Readonly<Record<OutcomeKind, Exit>> = {
  applied: "ok",
  unchanged: "ok",
  refused: "refused",
  notSupported: "notSupported",
  unconfirmed: "unconfirmed",
};

export function exitOf({ kind }: Outcome): Exit {
  return exitAfterChange[kind];
}

const headlines: Readonly<Record<OutcomeKind, string>> = {
  applied: "applied",
  unchanged: "unchanged",
  refused: "refused",
  notSupported: "not supported",
  unconfirmed: "NOT CONFIRMED",
};

/** How a change ended, for people. */
export function outcomeText(outcome: Outcome): string {
  const { change, kind, reason, before, after, effect, by } = outcome;
  const was = before === undefined || kind !== "applied" ? "" : ` (before: ${settingText(before)})`;
  const who = by === "inverter" ? " by the inverter" : "";
  const lines = [`${change.inverter}: ${change.setting} = ${settingText(change.value)}${was}: ${headlines[kind]}${who}`];
  if (kind !== "applied" && kind !== "unchanged") {
    lines.push(`  ${reason}`);
    if (after !== undefined) lines.push(`  It reads ${settingText(after)}.`);
  }
  if (effect !== undefined) lines.push(`  ${effect}`);
  return `${lines.join("\n")}\n`;
}

/** What is done once, as lists of settings show it: it has no value. */
export function actionText({ confirm }: SettingInfo): string {
  return `an action, done by \`on\`${confirm === undefined ? "" : ` with --confirm ${JSON.stringify(confirm)}`}`;
}
