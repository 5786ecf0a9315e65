import { InvalidArgumentError, Option, type Command } from "commander";
import { durationMs } from "../app/duration.ts";

/** One option of `sonkrag log-mqtt`; its name follows from its key: `passwordFile` is `--password-file`. */
interface Flag<T> {
  /** Name of the value in the help; a flag without one is on or off. */
  readonly value?: string;
  readonly help: string;
  /** Told in the help. */
  readonly initial?: string;
  readonly choices?: readonly string[];
  /** Of the text that was typed, or of `initial`. */
  readonly parse: (text: string) => T;
}

type AnyFlags = Readonly<Record<string, Flag<unknown>>>;

const asTyped = (text: string): string => text;
const optional = (value: string, help: string): Flag<string | undefined> => ({ value, help, parse: asTyped });
const text = (value: string, help: string, initial: string): Flag<string> & { readonly initial: string } => ({
  value,
  help,
  initial,
  parse: asTyped,
});
const onOff = (help: string): Flag<boolean | undefined> => ({ help, parse: Boolean });
const choice = <const C extends string>(
  value: string,
  help: string,
  choices: readonly [C, ...C[]],
  initial: NoInfer<C> = choices[0],
): Flag<C> & { readonly initial: C } => ({
  value,
  help,
  choices,
  initial,
  parse: (typed) => choices.find((each) => each === typed) ?? initial,
});

const unitBytes = { B: 1, kB: 1_000, MB: 1_000_000, GB: 1_000_000_000 } as const;

function bytes(typed: string): number {
  const match = /^(\d+(?:\.\d+)?) ?(B|kB|MB|GB)$/.exec(typed);
  const size = match === null ? 0 : Math.round(Number(match[1]) * unitBytes[match[2] as keyof typeof unitBytes]);
  if (size < unitBytes.kB) throw new InvalidArgumentError("Expected a size such as 500kB, 10MB or 1GB, at least 1kB.");
  return size;
}

/** The longest time of a timer. */
const longestMs = 2 ** 31 - 1;

function duration(typed: string): number {
  const ms = durationMs(typed);
  if (!(ms > 0 && ms <= longestMs)) throw new InvalidArgumentError("Expected a duration such as 30s, 5min or 2h, at most 596h.");
  return ms;
}

function keep(typed: string): { readonly files: number } | { readonly days: number } {
  const match = /^([1-9]\d{0,5})(d?)$/.exec(typed);
  if (match === null) throw new InvalidArgumentError("Expected a number of files such as 30, or of days such as 90d.");
  const number = Number(match[1]);
  return match[2] === "d" ? { days: number } : { files: number };
}

function whole(min: number, max: number) {
  return (typed: string): number => {
    const value = Number(typed);
    if (!/^\d+$/.test(typed) || value < min || value > max)
      throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
    return value;
  };
}

/** Every option, once. The broker's address is looked at later: a refusal here would show a password that was typed into it. */
const flags = {
  broker: text("<url>", "the broker: mqtt://, mqtts://, ws:// or wss://, without a password in it", "mqtt://127.0.0.1:1883"),
  user: optional("<name>", "user at the broker"),
  passwordFile: optional("<file>", "file whose first line is the password"),
  ca: optional("<file>", "certificate authority (PEM) that signed the broker's certificate"),
  cert: optional("<file>", "our client certificate (PEM)"),
  key: optional("<file>", "key of our client certificate (PEM)"),
  clientId: optional("<id>", "our name at the broker; must be ours alone (default: a random one)"),
  qos: choice("<level>", "best quality of service asked for", ["0", "1", "2"], "1"),
  folder: text("<folder>", "where the files go; is made if it is missing", "mqtt-log"),
  name: text("<name>", "what file names begin with", "mqtt"),
  format: choice("<form>", "text: time, topic and payload, separated by tabs; json: one JSON object a line", ["text", "json"]),
  all: onOff("write every message, not only one that differs from the topic's last"),
  maxSize: { value: "<size>", help: "a file that would become larger is followed by the day's next one", initial: "100MB", parse: bytes },
  compress: onOff("compress files that are finished with gzip"),
  keep: { value: "<what>", help: "delete older files: 30 keeps 30 of them, 90d those of 90 days (default: keep all)", parse: keep },
  timeZone: optional("<name>", "zone that decides where a day begins, e.g. Africa/Johannesburg (default: the computer's)"),
  maxTopics: {
    value: "<n>",
    help: "of how many topics the last payload is known",
    initial: "20000",
    parse: whole(1, 10_000_000),
  },
  once: onOff("write what the broker has retained, then end"),
  duration: { value: "<duration>", help: "end after this time, e.g. 30s, 5min or 2h (default: when stopped)", parse: duration },
  logLevel: choice("<level>", "least important kind of message shown", ["info", "debug", "warn", "error"]),
  logFormat: choice("<form>", "messages for people or for machines", ["text", "json"]),
} satisfies AnyFlags;

/** A flag without `initial` may be absent. */
type ValueOf<F extends Flag<unknown>> = F extends { readonly initial: string } | Flag<string>
  ? ReturnType<F["parse"]>
  : ReturnType<F["parse"]> | undefined;

/** The options of `sonkrag log-mqtt` as typed, understood. */
export type LogMqttArguments = { readonly [K in keyof typeof flags]: ValueOf<(typeof flags)[K]> };

/** Adds all of them to the command. */
export function withLogMqttFlags(command: Command): Command {
  for (const [key, { value, help, initial, choices, parse }] of Object.entries<Flag<unknown>>(flags)) {
    const long = `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const option = new Option(value === undefined ? long : `${long} ${value}`, help);
    if (choices !== undefined) option.choices([...choices]);
    else if (value !== undefined) option.argParser(parse);
    if (initial !== undefined) option.default(parse(initial), initial);
    command.addOption(option);
  }
  return command;
}
