import { Command, Option } from "commander";
import { packageVersion } from "../app/version.ts";
import type { DecodeOptions } from "./decode.ts";
import type { EncodeOptions } from "./encode.ts";
import { exits, type Exit } from "./exit.ts";
import type { StatusOptions } from "./status.ts";
import type { Terminal } from "./terminal.ts";

/** Every subcommand with its help. What a subcommand does is loaded when it is called, so that `--help` is quick. */
export function createProgram(terminal: Terminal): { program: Command; result: { exit: Exit } } {
  const result: { exit: Exit } = { exit: "ok" };
  const program = new Command("sonkrag")
    .description("Reads, records and shows Voltronic Axpert solar inverters and their rebadged relatives.")
    .version(packageVersion())
    .exitOverride()
    .configureHelp({ helpWidth: 100 })
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, "sonkrag: ")),
    })
    .addHelpText("after", `\n${exitHelp()}`);

  const subcommand = (usage: string, description: string, examples: string) => {
    const command = program.command(usage).description(description);
    return command.addHelpText("after", `\nExamples:\n${indent(examples)}`).showHelpAfterError(`hint: sonkrag ${command.name()} --help`);
  };

  subcommand(
    "encode <command>",
    "Print the bytes of a command, with checksum and CR, as hex.",
    `sonkrag encode QPIGS
sonkrag encode QPIGS | xxd -r -p | xxd`,
  )
    .addOption(
      new Option("--checksum <habit>", "how to send a zero checksum byte: as it is, or as 01 for links that lose zeros")
        .choices(["plain", "zero-bumped"])
        .default("plain"),
    )
    .action(async (command: string, options: EncodeOptions) => {
      const { encode } = await import("./encode.ts");
      result.exit = await encode(command, options, terminal);
    });

  subcommand(
    "decode [command] [hex]",
    "Print what a reply says.",
    `sonkrag decode QMOD 2842e7c90d
sonkrag decode QPIGS - --json < reply.hex
sonkrag decode --jsonl < replies.jsonl > values.jsonl`,
  )
    .option("--protocol <name>", "dialect of the reply", "PI30")
    .option("--json", "print one JSON object instead of a table")
    .option("--jsonl", "decode one reply a line of stdin")
    .addHelpText("after", `\n${decodeHelp}`)
    .action(async (command: string | undefined, hex: string | undefined, options: DecodeOptions) => {
      const { decode } = await import("./decode.ts");
      result.exit = await decode(command, hex, options, terminal);
    });

  subcommand(
    "status",
    "Show the latest values of the running sonkrag on one screen, each with its age.",
    `sonkrag status
sonkrag status --watch
sonkrag status --watch 10s --all --url http://192.168.1.5:8480`,
  )
    .option("--watch [interval]", "show them again and again, every 2s if not said otherwise")
    .option("--all", "settings and identity as well")
    .option("--json", "print everything as JSON")
    .option("--url <url>", "address of the running sonkrag; found by its data folder if not given")
    .option("--config <file>", "configuration file that tells the data folder")
    .option("--data-dir <folder>", "its data folder")
    .action(async (options: StatusOptions) => {
      const { status } = await import("./status.ts");
      result.exit = await status(options, terminal);
    });

  const config = subcommand(
    "config",
    "Check the configuration file, or print an example or its JSON Schema.",
    `sonkrag config check --config /etc/sonkrag.yaml
sonkrag config example > sonkrag.yaml
sonkrag config schema > sonkrag.schema.json`,
  );
  config
    .command("check")
    .description("Say every mistake with file, line and column; exit code 2 if there is one.")
    .option("--config <file>", configHelp)
    .action(async (options: { readonly config?: string }) => {
      const { checkConfig } = await import("./config.ts");
      result.exit = await checkConfig(options.config, terminal);
    });
  config
    .command("example")
    .description("Print a configuration file with every key, its meaning and its default.")
    .action(async () => {
      const { printExample } = await import("./config.ts");
      result.exit = await printExample(terminal);
    });
  config
    .command("schema")
    .description("Print the JSON Schema of the configuration file.")
    .action(async () => {
      const { printSchema } = await import("./config.ts");
      result.exit = await printSchema(terminal);
    });

  return { program, result };
}

const configHelp = "configuration file; else $SONKRAG_CONFIG, ./sonkrag.yaml or /etc/sonkrag.yaml, where there is one";

const decodeHelp = `The reply is hex in any case; white space is ignored, and "-" reads it from stdin.

With --jsonl each line of stdin is {"protocol": "PI30", "command": "QMOD", "reply_hex": "2842e7c90d"},
and each line of stdout what it says:
  {"kind": "data", "values": {name: {"value": …, "unit": … or null}}, "tail": [further fields]}
  {"kind": "ack"}
  {"kind": "nak"}
  {"error": {"code": …, "message": …}}
Blank lines are skipped. A line that cannot be decoded stops nothing and leaves the exit code 0.`;

function exitHelp(): string {
  const rows = Object.values(exits).map(({ code, meaning }) => `${String(code).padStart(5)}  ${meaning}`);
  return ["Exit codes:", ...rows].join("\n");
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}
