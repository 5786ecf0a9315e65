import { StringDecoder } from "node:string_decoder";
import { addAbortSignal, type Readable } from "node:stream";
import { inquiryOf } from "../app/inquiry.ts";
import { ConfigError, RefusedError, SonkragError, type ErrorCode } from "../model/errors.ts";
import type { Query } from "../protocol/command.ts";
import { decodeFrame, decodeReply, verdictOf } from "../protocol/decode.ts";
import { FrameDecoder } from "../protocol/frame.ts";
import { pi30 } from "../protocol/pi30/dialect.ts";
import { pi41 } from "../protocol/pi30/pi41.ts";
import { decodedOf, tableOf, type Decoded } from "./decoded.ts";
import type { Exit } from "./exit.ts";
import { print, type Terminal } from "./terminal.ts";

interface Undecodable {
  readonly error: { readonly code: ErrorCode; readonly message: string };
}

export interface DecodeOptions {
  readonly protocol: string;
  readonly json?: boolean;
  readonly jsonl?: boolean;
}

/** Prints what a reply says: one given as hex (`-` reads it from stdin), or one a line of stdin with `--jsonl`. */
export async function decode(
  command: string | undefined,
  hex: string | undefined,
  options: DecodeOptions,
  terminal: Terminal,
): Promise<Exit> {
  if (options.jsonl) {
    if (command !== undefined) throw new ConfigError(`expected no arguments beside --jsonl, got ${JSON.stringify(command)}`);
    return decodeLines(terminal);
  }
  if (command === undefined || hex === undefined) throw new ConfigError("expected <command> and <hex>, or --jsonl");
  const decoded = decodeHex(options.protocol, command, hex === "-" ? await readAll(terminal) : hex);
  await print(terminal, options.json ? `${JSON.stringify(decoded)}\n` : tableOf(decoded));
  return "ok";
}

const dialects: ReadonlyMap<string, readonly Query[]> = new Map([
  ["PI30", pi30],
  ["PI41", pi41],
]);

/** Throws FrameError, ReplyError or RefusedError. */
export function decodeHex(protocol: string, command: string, hex: string): Decoded {
  const dialect = dialects.get(protocol.toUpperCase());
  if (!dialect)
    throw new RefusedError("value-invalid", `expected protocol ${[...dialects.keys()].join(" or ")}, got ${JSON.stringify(protocol)}`);
  const bytes = bytesOf(hex);
  // ACK and NAK say the same to every command, settings and unknown ones included.
  const [part] = new FrameDecoder().push(bytes);
  const verdict = part?.kind === "frame" ? verdictOf(part) : undefined;
  return verdict ? { kind: verdict } : decodedOf(decodeReply(inquiryOf(command, dialect), decodeFrame(bytes)));
}

/** Hex in any case, with or without white space. */
function bytesOf(hex: string): Uint8Array {
  const digits = hex.replaceAll(/\s+/g, "");
  if (digits.length === 0 || digits.length % 2 !== 0 || !/^[0-9a-fA-F]+$/.test(digits)) {
    const shown = hex.length > 80 ? `${hex.slice(0, 80)}…` : hex;
    throw new RefusedError("value-invalid", `expected bytes as pairs of hex digits, got ${JSON.stringify(shown)}`);
  }
  return Buffer.from(digits, "hex");
}

async function readAll(terminal: Terminal): Promise<string> {
  let text = "";
  for await (const chunk of readable(terminal)) text += String(chunk);
  return text;
}

function readable(terminal: Terminal): Readable {
  return addAbortSignal(terminal.signal, terminal.stdin as Readable);
}

/** No reply comes near it; a longer line is not one, and must not fill the memory. */
const longestLine = 65_536;

/** One line out for each line in, in their order; blank lines are skipped. A line that cannot be decoded says so and stops nothing. */
async function decodeLines(terminal: Terminal): Promise<Exit> {
  const utf8 = new StringDecoder("utf8");
  let rest = "";
  let overlong = false;
  for await (const chunk of readable(terminal)) {
    const lines = (rest + (typeof chunk === "string" ? chunk : utf8.write(chunk as Buffer))).split("\n");
    rest = lines.pop() ?? "";
    let out = "";
    for (const line of lines) {
      out += overlong ? tooLong : decodeLine(line);
      overlong = false;
    }
    if (rest.length > longestLine) [rest, overlong] = ["", true];
    if (out !== "") await print(terminal, out);
  }
  const last = overlong ? tooLong : decodeLine(rest + utf8.end());
  if (last !== "") await print(terminal, last);
  return "ok";
}

const tooLong = lineOf({
  error: { code: "value-invalid", message: `expected a line of at most ${longestLine} characters, got a longer one` },
});

function lineOf(decoded: Decoded | Undecodable): string {
  return `${JSON.stringify(decoded)}\n`;
}

function decodeLine(line: string): string {
  if (line.trim() === "") return "";
  try {
    const { protocol, command, reply_hex: hex } = lineFields(line);
    return lineOf(decodeHex(protocol, command, hex));
  } catch (error) {
    if (!(error instanceof SonkragError)) throw error;
    return lineOf({ error: { code: error.code, message: error.message } });
  }
}

interface InputLine {
  readonly protocol: string;
  readonly command: string;
  readonly reply_hex: string;
}

function lineFields(line: string): InputLine {
  const wanted = 'expected {"protocol": …, "command": …, "reply_hex": …} with texts';
  let given: unknown;
  try {
    given = JSON.parse(line);
  } catch (cause) {
    throw new RefusedError("value-invalid", `${wanted}, got no JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  const fields = (typeof given === "object" && given !== null ? given : {}) as Readonly<Record<string, unknown>>;
  for (const key of ["protocol", "command", "reply_hex"]) {
    const got = fields[key] === undefined ? "nothing" : JSON.stringify(fields[key]);
    if (typeof fields[key] !== "string") throw new RefusedError("value-invalid", `${wanted}, got ${got} for "${key}"`);
  }
  return fields as unknown as InputLine;
}
