import type { Logger } from "../model/logger.ts";

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LoggerOptions {
  readonly level: LogLevel;
  /** `text`: a line for people; `json`: one JSON object a line. */
  readonly format: "text" | "json";
  /** Receives whole lines; stderr by default, whose writes are synchronous, so that the last line before an exit is not lost. */
  readonly write?: (line: string) => void;
  readonly now?: () => Date;
}

type Fields = Readonly<Record<string, unknown>>;

/** A logger of whole lines. Passwords, tokens and the user part of URLs never reach them. */
export function createLogger(options: LoggerOptions): Logger {
  const write = options.write ?? ((line: string) => process.stderr.write(line));
  const now = options.now ?? (() => new Date());
  const lowest = logLevels.indexOf(options.level);
  const line = options.format === "json" ? jsonLine : textLine;
  const at =
    (level: LogLevel) =>
    (message: string, fields: Fields = {}): void => {
      if (logLevels.indexOf(level) >= lowest) write(line(now(), level, message, fields));
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function textLine(time: Date, level: LogLevel, message: string, fields: Fields): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${textValue(plain(key, value))}`);
  // A line break inside a message must not look like a second line of the log.
  const oneLine = withoutControls(hideUrlUsers(message).replaceAll(/\s*\r?\n\s*/g, " · "));
  return `${localIso(time)} ${level.padEnd(5)} ${oneLine}${pairs.join("")}\n`;
}

/** What others have sent must not steer the terminal on which it is shown. */
export function withoutControls(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "\u{FFFD}");
}

function textValue(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

function jsonLine(time: Date, level: LogLevel, message: string, fields: Fields): string {
  const plainFields = Object.entries(fields).map(([key, value]) => [key, plain(key, value)] as const);
  return `${JSON.stringify({ time: time.toISOString(), level, message: hideUrlUsers(message), ...Object.fromEntries(plainFields) })}\n`;
}

/** A value as JSON can hold it: errors as their text with all causes, bytes as hex, secrets hidden. */
function plain(key: string, value: unknown): unknown {
  if (/password|passwd|secret|token/i.test(key)) return "(hidden)";
  if (value instanceof Error) return hideUrlUsers(errorText(value));
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (typeof value === "string") return hideUrlUsers(value);
  if (typeof value === "bigint" || typeof value === "symbol" || typeof value === "function") return String(value);
  if (Array.isArray(value)) return value.map((inner) => plain(key, inner));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([innerKey, inner]) => [innerKey, plain(innerKey, inner)]));
  }
  return value;
}

function errorText(error: Error): string {
  const code = "code" in error && typeof error.code === "string" ? `[${error.code}] ` : "";
  const cause = error.cause instanceof Error ? ` ← ${errorText(error.cause)}` : "";
  return `${code}${error.message}${cause}`;
}

function hideUrlUsers(text: string): string {
  return text.replaceAll(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, "$1");
}

/** `2026-03-29T08:00:00.000+02:00` in the system's time zone. */
export function localIso(time: Date): string {
  const offset = -time.getTimezoneOffset();
  const shifted = new Date(time.getTime() + offset * 60_000).toISOString().slice(0, -1);
  const two = (number: number) => String(number).padStart(2, "0");
  return `${shifted}${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
}
