import { once } from "node:events";
import { resolve } from "node:path";
import { loadConfig, type ConfigFlags } from "../app/config-file.ts";
import { exportHistoryOf } from "../app/history/export/export-history.ts";
import { formatOfFile, type ExportFormat } from "../app/history/export/formats.ts";
import { momentOf } from "../app/history/export/moment.ts";
import type { StartedExport } from "../app/history/export/start-export.ts";
import { mustBeFree, writeExport } from "../app/history/export/write-export.ts";
import { ConfigError, RefusedError } from "../model/errors.ts";
import type { Level } from "../model/history.ts";
import { LocalTime } from "../model/local-time.ts";
import type { Exit } from "./exit.ts";
import { print, type Terminal } from "./terminal.ts";

export interface ExportArguments extends ConfigFlags {
  readonly config?: string;
  readonly from?: string;
  readonly to?: string;
  readonly inverter?: readonly string[];
  readonly command?: readonly string[];
  readonly metric?: readonly string[];
  readonly level: Level;
  readonly format?: ExportFormat;
  readonly frames?: boolean;
  readonly force?: boolean;
}

/** Writes history to a file, or to stdout where none is named; with or without a running sonkrag. */
export async function exportHistory(file: string | undefined, options: ExportArguments, terminal: Terminal): Promise<Exit> {
  const { signal } = terminal;
  const { config } = loadConfig({ file: options.config, flags: options, env: terminal.env, cwd: terminal.cwd });
  const local = LocalTime.of(config.site.timeZone);
  const now = Date.now();
  const format = formatOf(file, options.format);
  const path = file === undefined ? undefined : resolve(terminal.cwd, file);
  if (path !== undefined) await mustBeFree(path, options.force === true);
  else if (format === "parquet" && terminal.stdout.isTTY === true)
    throw new ConfigError("expected a file or a pipe for Parquet, got a terminal");
  let lines = 0;
  const isWatched = path !== undefined && (terminal.stderr as { readonly isTTY?: boolean }).isTTY === true;
  const query = {
    from: options.from === undefined ? undefined : moment("--from", options.from, { local, now, edge: "start" }),
    to: options.to === undefined ? undefined : moment("--to", options.to, { local, now, edge: "end" }),
    inverters: options.inverter,
    commands: options.command,
    names: options.metric,
    level: options.level,
    format,
    payloads: options.frames,
  };
  const onLines = (count: number, at: number): void => {
    lines = count;
    if (isWatched) terminal.stderr.write(`\r${local.stamp(at).date}  ${count} lines\u001B[K`);
  };
  const bytes = await exportHistoryOf(config, query, { local, now, onLines, signal }, async (started) =>
    path === undefined ? await pour(started, terminal) : (await writeExport(path, started, { replace: options.force === true })).bytes,
  );
  if (isWatched) terminal.stderr.write("\r\u001B[K");
  if (path !== undefined) await print(terminal, `${path}: ${lines} lines, ${bytes} bytes\n`);
  return "ok";
}

function formatOf(file: string | undefined, given: ExportFormat | undefined): ExportFormat {
  const format = given ?? (file === undefined ? "csv" : formatOfFile(file));
  if (format === undefined) throw new ConfigError(`expected --format, or a file that ends in .csv, .jsonl or .parquet, got ${file}`);
  return format;
}

function moment(option: string, text: string, options: Parameters<typeof momentOf>[1]): number {
  try {
    return momentOf(text, options);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    throw new RefusedError("value-invalid", `${option}: ${error.message}`, { cause: error });
  }
}

async function pour({ chunks }: StartedExport, { stdout, signal }: Terminal): Promise<number> {
  let bytes = 0;
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    bytes += chunk.length;
    if (!stdout.write(chunk)) await once(stdout, "drain", { signal });
  }
  return bytes;
}
