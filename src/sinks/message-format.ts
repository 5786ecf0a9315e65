import { isUtf8 } from "node:buffer";
import { utf8AsLatin1 } from "./line-format.ts";
import type { LineFormat, Stamped } from "./line-format.ts";

interface At extends Stamped {
  /** UTC epoch milliseconds. */
  readonly at: number;
}

/** A message of a broker. */
export interface MessageEntry extends At {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  /** Whether the broker sent it from its memory, at a subscription. */
  readonly retain: boolean;
}

/** What happened to the log itself; `gap`: a time without a connection, `lost`: lines that the disk did not take. */
export const logEvents = ["connected", "disconnected", "gap", "lost"] as const;
export type LogEvent = (typeof logEvents)[number];

export interface EventEntry extends At {
  readonly event: LogEvent;
  /** Start and end of what is missing, UTC epoch milliseconds. */
  readonly from?: number;
  readonly to?: number;
  /** How many lines are missing. */
  readonly lines?: number;
  readonly reason?: string;
}

export type MessageLogEntry = MessageEntry | EventEntry;

/** What can be read back of a line. */
export type ParsedLine =
  { readonly at: number; readonly topic: string; readonly payload: Uint8Array } | { readonly at: number; readonly event: string };

export interface MessageFormat extends LineFormat<MessageLogEntry> {
  /** Absent for what is no line of ours. `line`: Latin-1 text, one character a byte. */
  parse(line: string): ParsedLine | undefined;
}

/** The formats by name. `name`: what file names begin with. */
export const messageFormats = {
  text: (name: string): MessageFormat => new TextFormat(`${name}-`),
  json: (name: string): MessageFormat => new JsonFormat(`${name}-`),
} as const;
export type MessageFormatName = keyof typeof messageFormats;

const iso = (at: number): string => new Date(at).toISOString();
const latin1AsUtf8 = (text: string): string => Buffer.from(text, "latin1").toString("utf8");
const firstLineCharacters = 16_000;

/** What an event tells, without its name and time. */
function detailsOf({ from, to, lines, reason }: EventEntry): Record<string, unknown> {
  return {
    ...(from === undefined ? {} : { from: iso(from) }),
    ...(to === undefined ? {} : { to: iso(to) }),
    ...(lines === undefined ? {} : { lines }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** `local time⇥topic⇥payload`: one line each, whatever the payload holds. Events stand where the topic is, as `#gap`, which no topic can be. */
class TextFormat implements MessageFormat {
  readonly extension = "log";
  readonly prefix: string;
  static readonly #line = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}(?:[+-]\d{2}:\d{2}))\t([^\t]+)\t([^\t]*)$/;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  header(): string {
    return "";
  }

  isFirstLine(line: string): boolean {
    // A long first line is cut.
    return TextFormat.#line.test(line) || (line.length > firstLineCharacters && /^\d{4}-\d{2}-\d{2}T[\d:.+-]+\t/.test(line));
  }

  fits(firstLine: string): boolean {
    return firstLine === "" || this.isFirstLine(firstLine);
  }

  line(_header: string, entry: MessageLogEntry): string {
    const { date, time, offset } = entry.stamp;
    const rest =
      "event" in entry
        ? `#${entry.event}\t${escaped(JSON.stringify(detailsOf(entry)))}`
        : `${escaped(entry.topic)}\t${payloadText(entry.payload)}`;
    return utf8AsLatin1(`${date}T${time}${offset}\t${rest}`);
  }

  /** Nothing at the end of such a line says that it is the end. */
  isWhole(): boolean {
    return false;
  }

  parse(line: string): ParsedLine | undefined {
    const [, time = "", topic = "", payload = ""] = TextFormat.#line.exec(line) ?? [];
    const at = Date.parse(time);
    if (Number.isNaN(at)) return undefined;
    if (topic.startsWith("#")) return { at, event: topic.slice(1) };
    return { at, topic: unescaped(latin1AsUtf8(topic)), payload: payloadOf(latin1AsUtf8(payload)) };
  }
}

const base64Mark = "base64:";
const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
const originals = new Map(Object.entries(escapes).map(([original, escape]) => [escape, original]));

/** Control characters and all that some reader takes for the end of a line. */
function escaped(text: string): string {
  return text.replaceAll(/[\\\p{Cc}\u2028\u2029]/gu, (character) => escapes[character] ?? codeOf(character));
}

const codeOf = (character: string): string => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;

function unescaped(text: string): string {
  return text.replaceAll(/\\(?:u([0-9a-f]{4})|.)/g, (escape, code: string | undefined) =>
    code === undefined ? (originals.get(escape) ?? escape) : String.fromCodePoint(Number.parseInt(code, 16)),
  );
}

function payloadText(payload: Uint8Array): string {
  if (!isUtf8(payload)) return base64Mark + Buffer.from(payload).toString("base64");
  const text = escaped(Buffer.from(payload).toString("utf8"));
  // A text that only looks like it.
  return text.startsWith(base64Mark) ? codeOf("b") + text.slice(1) : text;
}

function payloadOf(text: string): Uint8Array {
  return text.startsWith(base64Mark) ? Buffer.from(text.slice(base64Mark.length), "base64") : Buffer.from(unescaped(text), "utf8");
}

/** `{"at","topic","payload","qos","retain"}`, with `"encoding":"base64"` where the payload is no text; events have `event` in place of a topic. */
class JsonFormat implements MessageFormat {
  readonly extension = "jsonl";
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  header(): string {
    return "";
  }

  isFirstLine(line: string): boolean {
    return /^\{"at":"\d{4}-\d{2}-\d{2}T[\d:.]+Z","(?:topic|event)":"/.test(line);
  }

  fits(firstLine: string): boolean {
    return firstLine === "" || this.isFirstLine(firstLine);
  }

  line(_header: string, entry: MessageLogEntry): string {
    const at = iso(entry.at);
    if ("event" in entry) return utf8AsLatin1(JSON.stringify({ at, event: entry.event, ...detailsOf(entry) }));
    const { topic, payload, qos, retain } = entry;
    const content = isUtf8(payload)
      ? { payload: Buffer.from(payload).toString("utf8") }
      : { payload: Buffer.from(payload).toString("base64"), encoding: "base64" };
    return utf8AsLatin1(JSON.stringify({ at, topic, ...content, qos, retain }));
  }

  isWhole(line: string): boolean {
    return this.parse(line) !== undefined;
  }

  parse(line: string): ParsedLine | undefined {
    if (!this.isFirstLine(line)) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(latin1AsUtf8(line));
    } catch {
      return undefined;
    }
    if (typeof value !== "object" || value === null || !("at" in value) || typeof value.at !== "string") return undefined;
    const at = Date.parse(value.at);
    if (Number.isNaN(at)) return undefined;
    if ("event" in value && typeof value.event === "string") return { at, event: value.event };
    if (!("topic" in value) || typeof value.topic !== "string" || !("payload" in value) || typeof value.payload !== "string")
      return undefined;
    const encoding = "encoding" in value && value.encoding === "base64" ? "base64" : "utf8";
    return { at, topic: value.topic, payload: Buffer.from(value.payload, encoding) };
  }
}
