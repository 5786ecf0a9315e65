import type { Command } from "commander";
import type { Exit } from "./exit.ts";
import type { ImportArguments } from "./import.ts";
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
      "Bring daily logs of the older script, or of sonkrag in that form, into history. The same file again changes nothing.",
      `sonkrag import --dry-run Axpert2020-08-23.log
sonkrag import --inverter garage Axpert2020-*.log`,
    ),
  )
    .option("--inverter <id>", "the inverter that the logs are of (default: the only one that is known)")
    .option("--time-zone <name>", "zone of the clock that the logs were written by, e.g. Africa/Johannesburg (default: the site's)")
    .option("--recover", "also take the whole answer at the end of a line into which several were run together")
    .option("--dry-run", "only tell what would be taken")
    .option("--json", "print JSON")
    .action(async (files: readonly string[], options: ImportArguments) => {
      const { importFiles } = await import("./import.ts");
      result.exit = await importFiles(files, options, terminal);
    });
}
