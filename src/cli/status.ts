import { setTimeout as sleep } from "node:timers/promises";
import { durationMs } from "../app/duration.ts";
import { fetchSnapshot, runningSnapshot } from "../app/running.ts";
import { statusScreen } from "../app/status-screen.ts";
import { ConfigError, NotRunningError } from "../model/errors.ts";
import type { Exit } from "./exit.ts";
import { print, type Terminal } from "./terminal.ts";

export interface StatusOptions {
  readonly url?: string;
  readonly config?: string;
  readonly dataDir?: string;
  /** True without a value. */
  readonly watch?: boolean | string;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Shows the latest values of the running sonkrag, once or again and again. */
export async function status(options: StatusOptions, terminal: Terminal): Promise<Exit> {
  const everyMs = options.watch === undefined ? undefined : watchInterval(options.watch);
  if (everyMs === undefined) {
    await print(terminal, await screen(options, terminal));
    return "ok";
  }
  try {
    await watch(everyMs, options, terminal);
  } catch (error) {
    // Being stopped is the only end it has.
    if (!terminal.signal.aborted) throw error;
  }
  return "ok";
}

async function watch(everyMs: number, options: StatusOptions, terminal: Terminal): Promise<never> {
  for (;;) {
    const text = await screen(options, terminal).catch((error: unknown) => {
      // While watching, a restart of the service is no reason to end.
      if (error instanceof NotRunningError) return `${error.message}\n`;
      throw error;
    });
    // On a terminal: to the top, write, clear the rest. Clearing first would flicker.
    await print(terminal, terminal.stdout.isTTY ? `\u001b[H${text.replaceAll("\n", "\u001b[K\n")}\u001b[J` : `${text}\n`);
    await sleep(everyMs, undefined, { signal: terminal.signal });
  }
}

function watchInterval(watch: boolean | string): number {
  if (typeof watch === "boolean") return 2000;
  const ms = durationMs(watch);
  if (!(ms >= 100)) throw new ConfigError(`--watch: expected a duration of at least 100ms, such as 2s, got ${JSON.stringify(watch)}`);
  return ms;
}

async function screen(options: StatusOptions, terminal: Terminal): Promise<string> {
  const snapshot = await (options.url === undefined
    ? runningSnapshot(await dataDirOf(options, terminal), terminal)
    : fetchSnapshot(checkedUrl(options.url), terminal));
  if (options.json) return `${JSON.stringify(snapshot)}\n`;
  const color = terminal.stdout.isTTY === true && !terminal.env["NO_COLOR"];
  return statusScreen(snapshot, { width: terminal.stdout.columns ?? 80, all: options.all === true, color });
}

function checkedUrl(url: string): string {
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url;
  throw new ConfigError(`--url: expected an address such as http://127.0.0.1:8480, got ${JSON.stringify(url)}`);
}

async function dataDirOf(options: StatusOptions, terminal: Terminal): Promise<string> {
  const { loadConfig } = await import("../app/config-file.ts");
  const flags = options.dataDir === undefined ? {} : { dataDir: options.dataDir };
  return loadConfig({ file: options.config, flags, env: terminal.env, cwd: terminal.cwd }).config.dataDir;
}
