import { Argument, Option, type Command } from "commander";
import { exportFormatNames } from "../app/history/export/formats.ts";
import { levels } from "../model/history.ts";
import { periodKinds, type PeriodKind } from "../model/local-periods.ts";
import type { Exit } from "./exit.ts";
import type { ExportArguments } from "./export.ts";
import type { ImportArguments } from "./import.ts";
import type { ReportOptions } from "./report.ts";
import type { Terminal } from "./terminal.ts";

interface Parts {
  readonly terminal: Terminal;
  readonly result: { exit: Exit };
  readonly subcommand: (usage: string, description: string, examples: string) => Command;
  readonly configHelp: string;
}

/** The subcommands about what was kept. */
export function addHistoryCommands({ terminal, result, subcommand, configHelp }: Parts): void {
  const kept = (command: Command): Command =>
    command.option("--config <file>", configHelp).option("--data-dir <folder>", "the data folder, in which history is");

  kept(
    subcommand(
      "import <files...>",
      "Bring files into history: daily logs of the older script, text logs of sonkrag, tables of other programs. The same file again changes nothing.",
      `sonkrag import --dry-run Axpert2020-08-23.log
sonkrag import --inverter garage --time-zone Africa/Johannesburg Axpert2020-*.log
sonkrag import --inverter garage --mapping grafana.yaml load.csv`,
    ),
  )
    .option(
      "--inverter <id>",
      "the inverter that the files are of (default: what the file, its folder's name or the only known inverter says)",
    )
    .option("--time-zone <name>", "zone of the clock that the files were written by, e.g. Africa/Johannesburg (default: the site's)")
    .option("--mapping <file>", "YAML file that says how tables of another program are read, see docs/import.md")
    .option("--recover", "also take the whole answer at the end of a line into which several were run together")
    .option("--dry-run", "only tell what would be taken")
    .option("--json", "print JSON")
    .action(async (files: readonly string[], options: ImportArguments) => {
      const { importFiles } = await import("./import.ts");
      result.exit = await importFiles(files, options, terminal);
    });

  kept(
    subcommand(
      "export [file]",
      "Write history to a file or stdout: any range, inverters, values and level, as CSV, JSON lines or Parquet.",
      `sonkrag export june.csv --from 2026-06 --to 2026-06
sonkrag export --from yesterday --to yesterday --level 15min --metric batteryVoltage,loadActivePower > day.csv
sonkrag export all.parquet --frames`,
    ),
  )
    .option("--from <time>", "start, see below (default: the first reading)")
    .option("--to <time>", "end, see below; of a day, month or year its last moment (default: now)")
    .option("--inverter <ids>", "only these inverters, with commas between (default: all)", listed)
    .option("--command <codes>", "only answers to these commands, e.g. QPIGS,QPIGS2 (default: all)", listed)
    .option("--metric <names>", "only these values, e.g. batteryVoltage,pv1Power (default: all)", listed)
    .addOption(
      new Option("--level <level>", "raw: single readings; else min, max, mean and coverage of each; 1d is a day of the site")
        .choices(levels)
        .default("raw"),
    )
    .addOption(new Option("--format <format>", "form of the file (default: by its ending, else csv)").choices(exportFormatNames))
    .option("--frames", "with the answers as they came; raw alone has them")
    .option("--force", "replace a file that is there")
    .addHelpText("after", `\n${timeHelp}`)
    .action(async (file: string | undefined, options: ExportArguments) => {
      const { exportHistory } = await import("./export.ts");
      result.exit = await exportHistory(file, options, terminal);
    });

  kept(
    subcommand(
      "report",
      "Tell the story of a day, month or year: energy, battery, losses, peaks, cost, gaps and events, in sentences and tables.",
      `sonkrag report day
sonkrag report month 2026-10
sonkrag report year 2026 --html year.html`,
    ),
  )
    .addArgument(new Argument("<period>", "what it is of").choices(periodKinds))
    .argument("[date]", "which one, e.g. 2026-10-25, 2026-10 or 2026 (default: the one that goes on)")
    .option("--json", 'print JSON: energy in Wh, power in W, times in UTC milliseconds; an unknown figure is {"unknown": why}')
    .option("--html <file>", "write a page with charts, to be printed")
    .action(async (kind: PeriodKind, date: string | undefined, options: ReportOptions) => {
      const { report } = await import("./report.ts");
      result.exit = await report(kind, date, options, terminal);
    });
}

const listed = (text: string, earlier: readonly string[] = []): string[] => [...earlier, ...text.split(",").filter((word) => word !== "")];

const timeHelp = `Times:
  2026-06-01, 2026-06, 2026   a day, month or year of the site: --from its start, --to its end
  today, yesterday            likewise
  2026-06-01T06:30            a time of the site; 2026-06-01T06:30:00+02:00 one with its zone
  -90min, -24h, -7d, -2w      counted back from now`;
