import type { Command } from "commander";
import type { ControlOptions } from "./control.ts";
import type { Exit } from "./exit.ts";
import type { JournalOptions } from "./journal.ts";
import type { SetOptions } from "./set.ts";
import type { ApplyOptions, ListOptions } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

interface Parts {
  readonly terminal: Terminal;
  readonly result: { exit: Exit };
  readonly subcommand: (usage: string, description: string, examples: string) => Command;
  readonly withDevice: (command: Command) => Command;
  readonly number: (min: number, max: number) => (text: string) => number;
  readonly collect: (value: string, earlier?: readonly string[]) => string[];
}

/** The subcommands that show settings and change them. */
export function addControlCommands({ terminal, result, subcommand, withDevice, number, collect }: Parts): void {
  /** Options of all of them. */
  const common = (command: Command): Command =>
    withDevice(command)
      .option("--data-dir <folder>", "the data folder; finds the running sonkrag, and holds the journal")
      .option("--inverter <id>", "which inverter, where there are several")
      .option("--json", "print JSON");
  const confirmHelp = "the word that a dangerous setting asks for";

  const settings = subcommand(
    "settings",
    "Show the settings of an inverter with what they take, or keep them as a document.",
    `sonkrag settings
sonkrag settings export --output garage.yaml
sonkrag settings diff garage.yaml
sonkrag settings apply garage.yaml --dry-run`,
  );
  common(settings.command("list", { isDefault: true }).description("Show every setting, its value and what it takes; the default."))
    .option("--all", "also those that this inverter does not have, with the reason")
    .option("--fresh", "read all of them now, which takes some seconds; else a running sonkrag tells what it read last, and how long ago")
    .action(async (options: ListOptions) => {
      const { listSettings } = await import("./settings.ts");
      result.exit = await listSettings(options, terminal);
    });
  common(settings.command("export").description("Print all settings as a sheet, in YAML by the numbers of the unit's display."))
    .option("--output <file>", "write it there; the file must be a new one")
    .action(async (options: ControlOptions & { readonly output?: string }) => {
      const { exportSettings } = await import("./settings.ts");
      result.exit = await exportSettings(options, terminal);
    });
  common(settings.command("diff <file>").description("Show what a sheet would change."))
    .option("--other-family", "also where the sheet is of another family of models")
    .action(async (file: string, options: ApplyOptions) => {
      const { diffSettings } = await import("./settings.ts");
      result.exit = await diffSettings(file, options, terminal);
    });
  common(settings.command("apply <file>").description("Set what a sheet says, in a safe order; the first step that fails is the last."))
    .option("--dry-run", "only show what would be done")
    .option("--confirm <word>", `${confirmHelp}; may be given several times`, collect)
    .option("--other-family", "also where the sheet is of another family of models")
    .action(async (file: string, options: ApplyOptions) => {
      const { applySettings } = await import("./settings.ts");
      result.exit = await applySettings(file, options, terminal);
    });
  common(settings.command("budget").description("Show how often each setting was written, and how often it may be.")).action(
    async (options: ControlOptions) => {
      const { showBudget } = await import("./settings.ts");
      result.exit = await showBudget(options, terminal);
    },
  );

  common(
    subcommand(
      "set <setting> <value>",
      "Change one setting, read it back and say how it went. Off until the configuration allows it.",
      `sonkrag set outputSourcePriority sbu
sonkrag set maxAcChargeCurrent 30A --inverter garage
sonkrag set chargerSourcePriority utilityFirst --until 06:00 --then solarFirst
sonkrag set batteryType agm --confirm "battery type"`,
    ),
  )
    .option("--confirm <word>", confirmHelp)
    .option("--until <time>", "a lease: how long it holds, e.g. 06:00 or 2026-01-31T06:00")
    .option("--for <duration>", "a lease: how long it holds, e.g. 30min or 2h")
    .option("--then <value>", "what follows at the end of the lease, also over a restart")
    .addHelpText("after", "\n`sonkrag settings` lists the settings by name and program number, what is set, and what each takes here.")
    .action(async (setting: string, value: string, options: SetOptions) => {
      const { set } = await import("./set.ts");
      result.exit = await set(setting, value, options, terminal);
    });

  common(
    subcommand(
      "undo",
      "Give the setting that was changed last its former value back.",
      `sonkrag undo
sonkrag undo --inverter garage`,
    ),
  )
    .option("--confirm <word>", confirmHelp)
    .action(async (options: ControlOptions & { readonly confirm?: string }) => {
      const { undo } = await import("./set.ts");
      result.exit = await undo(options, terminal);
    });

  common(
    subcommand(
      "journal",
      "Show every attempt to change something: when, who, what, and how it went. Newest first.",
      `sonkrag journal
sonkrag journal --limit 100 --inverter garage
sonkrag journal --json`,
    ),
  )
    .option("--limit <n>", "at most so many (default: 20)", number(1, 1000))
    .option("--before <number>", "only entries before this number", number(1, Number.MAX_SAFE_INTEGER))
    .action(async (options: JournalOptions) => {
      const { journal } = await import("./journal.ts");
      result.exit = await journal(options, terminal);
    });

  const leases = subcommand(
    "leases",
    "Show the leases that run, or give one up.",
    `sonkrag leases
sonkrag leases end 3f0c5a52-…`,
  );
  common(leases.command("list", { isDefault: true }).description("Show the leases that run; the default.")).action(
    async (options: ControlOptions) => {
      const { leases: list } = await import("./journal.ts");
      result.exit = await list(options, terminal);
    },
  );
  common(leases.command("end <id>").description("Give a lease up; what is set stays.")).action(
    async (id: string, options: ControlOptions) => {
      const { endLease } = await import("./journal.ts");
      result.exit = await endLease(id, options, terminal);
    },
  );

  common(
    subcommand(
      "raw <command>",
      "Send a command that is no inquiry as text; for experts. Known ones go the way of `set`, some are never sent.",
      `sonkrag raw POP02
sonkrag raw PZZ9 --confirm PZZ9`,
    ),
  )
    .option("--confirm <word>", "the word of the setting; of an unknown command, the command itself")
    .action(async (command: string, options: ControlOptions & { readonly confirm?: string }) => {
      const { raw } = await import("./set.ts");
      result.exit = await raw(command, options, terminal);
    });
}
