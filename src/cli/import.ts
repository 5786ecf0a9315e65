import { join, resolve } from "node:path";
import { loadConfig, type ConfigFlags } from "../app/config-file.ts";
import { importLogs } from "../app/history/import/import-logs.ts";
import type { ImportSummary } from "../app/history/import/import-file.ts";
import type { Exit } from "./exit.ts";
import { columns, print, type Terminal } from "./terminal.ts";

export interface ImportArguments extends ConfigFlags {
  readonly config?: string;
  readonly inverter?: string;
  readonly timeZone?: string;
  readonly mapping?: string;
  readonly recover?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Brings logs into history and tells what became of them. */
export async function importFiles(files: readonly string[], options: ImportArguments, terminal: Terminal): Promise<Exit> {
  const { config } = loadConfig({ file: options.config, flags: options, env: terminal.env, cwd: terminal.cwd });
  const isWatched = (terminal.stderr as { readonly isTTY?: boolean }).isTTY === true && options.json !== true;
  const summaries = await importLogs(
    files.map((file) => resolve(terminal.cwd, file)),
    {
      folder: config.history.folder,
      rejectsFolder: join(config.history.folder, "rejects"),
      registryFile: join(config.dataDir, "inverters.json"),
      timeZone: options.timeZone ?? config.site.timeZone,
      inverter: options.inverter,
      mapping: options.mapping === undefined ? undefined : resolve(terminal.cwd, options.mapping),
      recover: options.recover === true,
      dryRun: options.dryRun === true,
      pollMs: config.poll.fastMs,
      onProgress: isWatched
        ? (file, share) => terminal.stderr.write(`\r${bar(share)} ${file}\u{1B}[K${share === 1 ? "\n" : ""}`)
        : undefined,
    },
    { signal: terminal.signal },
  );
  const text = options.json
    ? `${JSON.stringify({ files: summaries.map(({ firstRejected: _firstRejected, ...summary }) => summary) })}\n`
    : told(summaries, options.dryRun === true);
  await print(terminal, text);
  return "ok";
}

const width = 24;

function bar(share: number): string {
  const full = Math.round(share * width);
  return `${"█".repeat(full)}${"░".repeat(width - full)} ${String(Math.round(share * 100)).padStart(3)} %`;
}

function told(summaries: readonly ImportSummary[], dryRun: boolean): string {
  const head = ["FILE", "LINES", "ACCEPTED", "REJECTED", "STALE", dryRun ? "" : "NEW"];
  const rows = summaries.map(({ file, lines, accepted, rejected, stale, added }) => [
    file,
    String(lines),
    String(accepted),
    String(rejected),
    String(stale),
    dryRun ? "" : String(added),
  ]);
  const details = summaries.flatMap(({ file, byClass, firstRejected, rejects, conflicting, notes }) => [
    ...(Object.keys(byClass).length > 0
      ? [
          `${file}: rejected by class ${Object.entries(byClass)
            .map(([letter, count]) => `${letter} ${count}`)
            .join(", ")}`,
        ]
      : []),
    ...firstRejected.map(({ line, class: letter, text }) => `  line ${line}, ${letter}: ${text.replaceAll(/[^ -~]/g, "�").slice(0, 90)}`),
    ...(rejects === undefined ? [] : [`  all of them: ${rejects}`]),
    ...notes.map((note) => `  ${note}`),
    ...(conflicting > 0 ? [`  ${conflicting} lines have a time for which history has other values; those stay`] : []),
  ]);
  const tail = dryRun ? ["Dry run: nothing was kept."] : [];
  return `${[...columns([head, ...rows]), ...details, ...tail].join("\n")}\n`;
}
