import { ConfigError } from "../model/errors.ts";
import type { TrafficEvent } from "./traffic.ts";
import type { Wire } from "./transport.ts";

/** The first line of a capture. */
export interface CaptureHeader {
  readonly format: "sonkrag-capture";
  readonly version: 1;
  /** Version of the program that wrote it. */
  readonly program: string;
  /** ISO time at which `t` is 0. */
  readonly startedAt: string;
  /** Kind of the device: `hidraw`, `serial`, `tcp` or `sim`. */
  readonly device: string;
  /** Absent when the device was not open yet. */
  readonly wire?: Wire;
}

/** Every further line; `t` in ms since the start. `>` goes to the inverter, `<` comes from it. */
export type CaptureLine =
  | { readonly t: number; readonly dir: ">" | "<"; readonly hex: string }
  | { readonly t: number; readonly event: "opened"; readonly wire: Wire }
  | { readonly t: number; readonly event: "closed" };

export interface Capture {
  readonly header: CaptureHeader;
  readonly lines: readonly CaptureLine[];
}

/** `startMs` is the event's own time, monotonic ms, at which `t` is 0. */
export function captureLineOf(event: TrafficEvent, startMs: number): CaptureLine {
  const t = Math.round((event.at - startMs) * 100) / 100;
  if (event.kind === "opened") return { t, event: event.kind, wire: event.wire };
  if (event.kind === "closed") return { t, event: event.kind };
  return { t, dir: event.kind === "sent" ? ">" : "<", hex: compactHex(event.bytes) };
}

/** The events of a capture; `at` counts from its start. */
export function trafficOf({ lines }: Pick<Capture, "lines">): TrafficEvent[] {
  return lines.map((line) => {
    if (!("event" in line)) return { kind: line.dir === ">" ? "sent" : "received", at: line.t, bytes: bytesOf(line.hex) };
    return line.event === "opened" ? { kind: "opened", at: line.t, wire: line.wire } : { kind: "closed", at: line.t };
  });
}

/**
 * Reads a capture. Blank lines are skipped, and so is a last line that was cut short by a sudden end. Throws ConfigError
 * with the number of the line.
 */
export function parseCapture(text: string, name: string): Capture {
  const texts = text.split("\n");
  const header = headerOf(texts[0] ?? "", name);
  const lines: CaptureLine[] = [];
  for (const [index, each] of texts.entries()) {
    if (index === 0 || each.trim() === "") continue;
    const line = lineOf(each);
    // Only the last line has no end.
    if (line === undefined && index === texts.length - 1) break;
    if (line === undefined) throw new ConfigError(`${name}, line ${index + 1}: expected ${lineForms}, got ${shortened(each)}`);
    lines.push(line);
  }
  return { header, lines };
}

/** Checks a capture that stands in another document. Throws ConfigError. */
export function toCapture(given: unknown, name: string): Capture {
  const { header, lines } = isObject(given) ? given : {};
  if (!isHeader(header) || !Array.isArray(lines)) throw new ConfigError(`${name}: expected a capture with header and lines`);
  const bad = lines.findIndex((line: unknown) => !isLine(line));
  if (bad >= 0)
    throw new ConfigError(`${name}, entry ${bad + 1}: expected ${lineForms}, got ${shortened(JSON.stringify(lines[bad]) ?? "nothing")}`);
  return { header, lines: lines as CaptureLine[] };
}

const lineForms = '{"t": ms, "dir": ">" or "<", "hex": bytes} or {"t": ms, "event": "opened" or "closed"}';

function headerOf(text: string, name: string): CaptureHeader {
  const header = parsed(text);
  if (isHeader(header)) return header;
  throw new ConfigError(`${name}: expected a capture of sonkrag (format sonkrag-capture, version 1), got ${shortened(text) || "nothing"}`);
}

function lineOf(text: string): CaptureLine | undefined {
  const line = parsed(text);
  return isLine(line) ? line : undefined;
}

function isHeader(given: unknown): given is CaptureHeader {
  if (!isObject(given) || given["format"] !== "sonkrag-capture" || given["version"] !== 1) return false;
  const { program, startedAt, device, wire } = given;
  return [program, startedAt, device].every((each) => typeof each === "string") && (wire === undefined || isWire(wire));
}

function isLine(given: unknown): given is CaptureLine {
  if (!isObject(given) || !isTime(given["t"])) return false;
  if (given["event"] !== undefined) return given["event"] === "closed" || (given["event"] === "opened" && isWire(given["wire"]));
  const { dir, hex } = given;
  return (dir === ">" || dir === "<") && typeof hex === "string" && /^(?:[0-9a-f]{2})+$/i.test(hex);
}

function isWire(given: unknown): given is Wire {
  if (!isObject(given)) return false;
  const { byteMs, certain, chunkBytes } = given;
  return isTime(byteMs) && typeof certain === "boolean" && (chunkBytes === 1 || chunkBytes === 8);
}

function isTime(given: unknown): given is number {
  return typeof given === "number" && Number.isFinite(given) && given >= 0;
}

function isObject(given: unknown): given is Readonly<Record<string, unknown>> {
  return typeof given === "object" && given !== null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // said by the caller, with its place
  }
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function compactHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, index) => Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16));
}
