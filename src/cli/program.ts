import { Command, InvalidArgumentError, Option } from "commander";
import { packageVersion } from "../app/version.ts";
import type { CaptureArguments } from "./capture.ts";
import type { CardOptions } from "./card.ts";
import type { DecodeOptions } from "./decode.ts";
import type { DoctorOptions } from "./doctor.ts";
import type { EncodeOptions } from "./encode.ts";
import { pi30 } from "../protocol/pi30/dialect.ts";
import { settingDialects } from "../sim/profile.ts";
import { modelNames, profiles } from "../sim/profiles.ts";
import { addControlCommands } from "./control-program.ts";
import { addHistoryCommands } from "./history-program.ts";
import { withLogMqttFlags, type LogMqttArguments } from "./log-mqtt-flags.ts";
import { exits, type Exit } from "./exit.ts";
import type { QueryOptions } from "./query.ts";
import type { RunArguments } from "./run.ts";
import type { SimulateArguments } from "./simulate.ts";
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

  withDevice(
    subcommand(
      "run",
      "Read the inverters, record and show them until stopped: text log, MQTT and a page for the browser.",
      `sonkrag run
sonkrag run --device serial:/dev/ttyUSB0 --http 0.0.0.0:8480
sonkrag run --config /etc/sonkrag.yaml --log-format json
sonkrag run --mqtt mqtt://192.168.1.10:1883 --poll 2s`,
    ),
  )
    .option("--data-dir <folder>", "where everything is kept")
    .option("--http <address>", "address of the page: HOST:PORT, PORT or off")
    .option("--mqtt <url>", "broker to publish to, e.g. mqtt://host:1883; or embedded, or off")
    .option("--poll <interval>", "time between two readings of the live status, e.g. 5s; 0s is as fast as the line goes")
    .action(async (options: RunArguments) => {
      const { runService } = await import("./run.ts");
      result.exit = await runService(options, terminal);
    });

  subcommand(
    "simulate",
    "Serve simulated inverters on a pseudo-terminal or a TCP port until stopped. Nothing they say is real.",
    `sonkrag simulate --pty /tmp/inverter
sonkrag simulate --tcp 8899 --units 3 --speed 60 --seed 7
sonkrag simulate --pty /tmp/inverter --replay Axpert2020-08-23.log
sonkrag simulate --tcp 8899 --fault corrupt=5% --fault stale=5%`,
  )
    .option("--pty <path>", "make a pseudo-terminal there; further units get PATH-2, PATH-3 … (needs socat)")
    .option("--tcp <port>", "listen on this port, further units on the ports behind it; 0 takes any free one", number(0, 65_535))
    .option("--host <address>", "address to listen on (default: 127.0.0.1)")
    .option("--units <n>", "inverters in parallel, 1 to 9 (default: 1)", number(1, 9))
    .addOption(new Option("--model <name>", "whose replies are imitated, see below (default: max)").choices(modelNames))
    .addOption(
      new Option("--settings <way>", "what it does with settings: late applies them 20 s after its ACK (default: obeys)").choices(
        settingDialects,
      ),
    )
    .option("--phases <n>", "phases over which the units are spread, 1 to 3 (default: 1)", number(1, 3))
    .option("--same-serial", "all units answer with the serial number 55355535553555, which marks nothing as simulated")
    .option("--without-parallel-query <n>", "this unit, 0 for the first, does not know QPGSn; may be given several times", collect)
    .option("--seed <n>", "same seed, same weather, loads and faults (default: 1)", number(0, 4_294_967_295))
    .option("--speed <factor>", "how many times faster its day passes (default: 1)", number(0.1, 100_000, "any"))
    .option("--baud <rate>", "pace of the bytes; 0 is as fast as it goes (default: 2400)", number(0, 10_000_000))
    .option("--latency-ms <ms>", "pause between request and reply (default: as the model has it)", number(0, 60_000))
    .option("--replay <file>", "answer QPIGS from a recorded text log, AxpertYYYY-MM-DD.log")
    .option("--capture <file>", "answer as an inverter did that was recorded by `sonkrag capture` or in a diagnosis file")
    .option("--fault <kind=rate>", "spoil this share of the replies (0.05 or 5%); may be given several times", collect)
    .option("--late-ms <ms>", "how much later a late reply comes (default: 2500)", number(0, 600_000))
    .option("--unplugged-ms <ms>", "how long a disconnect lasts (default: 1000)", number(0, 86_400_000))
    .option("--second-reader <interval>", "imitate another program on the same port that asks QPIGS this often, e.g. 30s")
    .addHelpText("after", `\n${modelHelp()}\n\n${faultHelp}`)
    .action(async (options: SimulateArguments) => {
      const { serveSimulator } = await import("./simulate.ts");
      result.exit = await serveSimulator(options, terminal);
    });

  subcommand(
    "replay <file>",
    "Serve a recorded inverter on a pseudo-terminal or a TCP port until stopped: the same as simulate --capture.",
    `sonkrag replay trouble.jsonl --pty /tmp/inverter
sonkrag replay diagnosis.json.gz --tcp 8899`,
  )
    .option("--pty <path>", "make a pseudo-terminal there (needs socat)")
    .option("--tcp <port>", "listen on this port; 0 takes any free one", number(0, 65_535))
    .option("--host <address>", "address to listen on (default: 127.0.0.1)")
    .action(async (capture: string, options: Pick<SimulateArguments, "pty" | "tcp" | "host">) => {
      const { serveSimulator } = await import("./simulate.ts");
      result.exit = await serveSimulator({ ...options, capture }, terminal);
    });

  withDevice(
    subcommand(
      "query <command>",
      "Ask the inverter one question and print the answer: through the running sonkrag where there is one. Only inquiries are sent, never a setting.",
      `sonkrag query QPIGS
sonkrag query QPIRI --inverter axpert-92931905106458
sonkrag query QPIRI --json --device serial:/dev/ttyUSB0
sonkrag query QMOD --device sim:`,
    ),
    false,
  )
    .option("--inverter <id>", "which one of several, by its id")
    .option("--data-dir <folder>", "data folder of the running sonkrag")
    .option("--json", "print one JSON object instead of a table")
    .addHelpText("after", `\n${inquiryHelp()}`)
    .action(async (command: string, options: QueryOptions) => {
      const { queryInverter } = await import("./query.ts");
      result.exit = await queryInverter(command, options, terminal);
    });

  withDevice(
    subcommand(
      "card",
      "Show what was found out about an inverter: model, firmware, what it answers, PV inputs, settings it takes.",
      `sonkrag card
sonkrag card --share my-inverter.yaml
sonkrag card --json --device serial:/dev/ttyUSB0`,
    ),
    false,
  )
    .option("--inverter <id>", "which one of several, by its id")
    .option("--data-dir <folder>", "data folder of the running sonkrag")
    .option("--share <file>", "write it to a YAML file that can be shown to anybody: serial numbers replaced, no times")
    .option("--json", "print one JSON object")
    .action(async (options: CardOptions) => {
      const { card } = await import("./card.ts");
      result.exit = await card(options, terminal);
    });

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
    .option("--protocol <name>", "dialect of the reply: PI30 or PI41", "PI30")
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

  withDevice(
    subcommand(
      "doctor",
      "Look at everything between sonkrag and the inverter, and say what to do. Only asks, never sets.",
      `sonkrag doctor
sonkrag doctor --device serial:/dev/ttyUSB0
sonkrag doctor --bundle diagnosis.json.gz`,
    ),
  )
    .option("--data-dir <folder>", "its data folder")
    .option("--json", "print one JSON object a finding")
    .option("--bundle <file>", "make a diagnosis file for a bug report too, without serial numbers, addresses and passwords")
    .option("--for <duration>", "how long the inverter is read for it where no sonkrag runs (default: 1min)")
    .action(async (options: DoctorOptions) => {
      const { doctor } = await import("./doctor.ts");
      result.exit = await doctor(options, terminal);
    });

  withDevice(
    subcommand(
      "capture <file>",
      "Record the raw traffic with the inverter, for a bug report or for `sonkrag simulate --capture`. A running sonkrag goes on.",
      `sonkrag capture --for 5min traffic.jsonl.gz
sonkrag capture --inverter garage traffic.jsonl
sonkrag capture --device serial:/dev/ttyUSB0 traffic.jsonl`,
    ),
    false,
  )
    .option("--inverter <id>", "which one of several, by its id")
    .option("--for <duration>", "how long, e.g. 5min (default: until Ctrl-C)")
    .option("--data-dir <folder>", "its data folder")
    .addHelpText("after", captureHelp)
    .action(async (file: string, options: CaptureArguments) => {
      const { captureTraffic } = await import("./capture.ts");
      result.exit = await captureTraffic(file, options, terminal);
    });

  addHistoryCommands({ terminal, result, subcommand, configHelp });
  addControlCommands({ terminal, result, subcommand, withDevice, number, collect });

  withLogMqttFlags(
    subcommand(
      "log-mqtt <topics...>",
      "Write what any MQTT broker sends into text or JSON files by day: what has changed, or everything.",
      `sonkrag log-mqtt 'power/#'
sonkrag log-mqtt 'zigbee2mqtt/+' 'tele/#' --broker mqtt://homeassistant.local --user me --password-file mqtt-password
sonkrag log-mqtt '#' --broker mqtts://broker.lan:8883 --ca ca.pem --format json --compress --keep 90d
sonkrag log-mqtt 'home/#' --all --duration 2h --folder /var/log/mqtt
sonkrag log-mqtt '#' --once`,
    ),
  ).action(async (topics: readonly string[], options: LogMqttArguments) => {
    const { logMqttMessages } = await import("./log-mqtt.ts");
    result.exit = await logMqttMessages(topics, options, terminal);
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

/** Options of the subcommands that talk to an inverter. */
function withDevice(command: Command, several = true): Command {
  return command
    .option("--device <url>", `where the inverter is${several ? "; may be given several times" : ""} (default: auto)`, collect)
    .option("--config <file>", configHelp)
    .addOption(new Option("--log-level <level>", "least important kind of message shown").choices(["debug", "info", "warn", "error"]))
    .addOption(new Option("--log-format <format>", "messages for people or for machines").choices(["text", "json"]))
    .addHelpText("after", `\nDevices:\n${indent(deviceHelp)}`);
}

function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}

/** Reads a number of an option; commander adds which option it was. */
function number(min: number, max: number, kind: "whole" | "any" = "whole") {
  return (text: string): number => {
    const value = Number(text);
    const fits = /^\d+(\.\d+)?$/.test(text) && value >= min && value <= max && (kind === "any" || Number.isInteger(value));
    if (!fits) throw new InvalidArgumentError(`Expected a ${kind === "whole" ? "whole " : ""}number from ${min} to ${max}.`);
    return value;
  };
}

const faultHelp = `Faults: corrupt (a bit flips), truncated (the end is lost), dropped (nothing comes), late (comes after
the asker has given up), stale (an old reply comes first), nak (refused), zeros (zero bytes instead),
echo (the request comes back first), hang (silent for a minute), disconnect (the device goes away).
SIGUSR1 prints to stderr what came that was no inquiry, and the counters of what was spoilt; so does the end.
SIGUSR2 switches the last unit off, and on again.`;

const deviceHelp = `auto                           the inverter on USB; \`run\`: all of them, else the simulated one
hidraw:/dev/hidraw0            a USB port by its node
hidraw:usb-0000:01:00.0-1.2    a USB port by its socket, which stays the same over reboots
serial:/dev/ttyUSB0?baud=2400  a serial port
tcp://192.168.1.20:8899        a serial bridge in the network
sim:                           the built-in simulated inverter`;

const captureHelp = `
The file must not be there yet; with a name that ends in .gz it is compressed. It holds serial numbers as they are:
for others make a diagnosis file with \`sonkrag doctor --bundle\`.`;

const configHelp = "configuration file; else $SONKRAG_CONFIG, ./sonkrag.yaml or /etc/sonkrag.yaml, where there is one";

const decodeHelp = `The reply is hex in any case; white space is ignored, and "-" reads it from stdin.

With --jsonl each line of stdin is {"protocol": "PI30", "command": "QMOD", "reply_hex": "2842e7c90d"},
and each line of stdout what it says:
  {"kind": "data", "values": {name: {"value": …, "unit": … or null}}, "tail": [further fields]}
  {"kind": "ack"}
  {"kind": "nak"}
  {"error": {"code": …, "message": …}}
Blank lines are skipped. A line that cannot be decoded stops nothing and leaves the exit code 0.`;

function modelHelp(): string {
  const width = Math.max(...profiles.map(({ name }) => name.length));
  return ["Models:", ...profiles.map(({ name, title }) => `  ${name.padEnd(width)}  ${title}`)].join("\n");
}

function inquiryHelp(): string {
  const width = Math.max(...pi30.map(({ code }) => code.length));
  const rows = pi30.map(
    ({ code, title, argument }) => `  ${code.padEnd(width)}  ${title}${argument ? `; ${argument.placeholder}: ${argument.shape}` : ""}`,
  );
  return ["Commands:", ...rows].join("\n");
}

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
