import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { loadConfig, type ConfigFlags } from "../app/config-file.ts";
import { reportPage } from "../app/history/report/page.ts";
import { readReport } from "../app/history/report/read-report.ts";
import { storyOf, titleOf, type Section } from "../app/history/report/story.ts";
import { withoutControls } from "../app/logger.ts";
import { SinkError } from "../model/errors.ts";
import type { PeriodKind } from "../model/local-periods.ts";
import { LocalTime } from "../model/local-time.ts";
import type { Exit } from "./exit.ts";
import { columns, print, type Terminal } from "./terminal.ts";

export interface ReportOptions extends ConfigFlags {
  readonly config?: string;
  readonly json?: boolean;
  readonly html?: string;
}

/** Tells the story of a local day, month or year from history, with or without a running sonkrag. */
export async function report(kind: PeriodKind, date: string | undefined, options: ReportOptions, terminal: Terminal): Promise<Exit> {
  const { config } = loadConfig({ file: options.config, flags: options, env: terminal.env, cwd: terminal.cwd });
  const local = LocalTime.of(config.site.timeZone);
  const made = await readReport(config, { kind, date, local, now: Date.now(), signal: terminal.signal });
  if (options.html !== undefined) {
    const file = resolve(terminal.cwd, options.html);
    await write(file, reportPage(made, local));
    if (options.json !== true) await print(terminal, `${file}: written\n`);
  }
  if (options.json === true) await print(terminal, `${JSON.stringify(made)}\n`);
  else if (options.html === undefined) await print(terminal, textOf(titleOf(made), storyOf(made, local)));
  return "ok";
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (cause) {
    throw new SinkError(`${file}: could not be written: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function textOf(title: string, sections: readonly Section[]): string {
  const lines = [title, "=".repeat(title.length)];
  for (const { title: heading, sentences, table } of sections) {
    lines.push("", heading, ...sentences.map((sentence) => `  ${withoutControls(sentence)}`));
    if (table !== undefined) {
      const rows = [table.head, ...table.rows].map((row) => row.map(withoutControls));
      lines.push(...columns(rows, table.right).map((line) => `  ${line}`));
    }
  }
  return `${lines.join("\n")}\n`;
}
