import { homedir } from "node:os";
import { isIP } from "node:net";
import { RefusedError, ReplyError } from "../model/errors.ts";
import { checksum, matchChecksum } from "../protocol/crc.ts";
import { decodeReply } from "../protocol/decode.ts";
import { FrameDecoder, latin1, latin1Bytes } from "../protocol/frame.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import type { TrafficEvent } from "../session/traffic.ts";
import { isSimulated } from "../sim/answers.ts";

const blank = "(blanked)";
const OPEN = 0x28;
const CR = 0x0d;
/** A serial number's pieces of this length are blanked in damaged frames; shorter ones cannot be told from values. */
const pieceLength = 6;
/** Serial numbers of clones: no more than two different digits, the same on thousands of units. */
const sharedDigits = 2;

/**
 * Takes out of everything that leaves the house what tells whose it is: serial numbers, addresses, names, passwords. The
 * same becomes the same each time, a serial number another one of the same length, checksums are made anew: what was
 * readable stays readable.
 */
export class Redactor {
  readonly #serialNumbers = new Map<string, string>();
  readonly #hosts = new Map<string, string>();
  readonly #home = homedir();

  /** A serial number to be replaced wherever it turns up. Those that thousands of units share, and simulated ones, stay. */
  #learnSerialNumber(serialNumber: string): void {
    if (serialNumber.length < pieceLength || this.#serialNumbers.has(serialNumber)) return;
    if (new Set(serialNumber).size <= sharedDigits || isSimulated(serialNumber)) return;
    const count = String(this.#serialNumbers.size + 1).padStart(2, "0");
    // It counts as simulated, so that nobody takes a replay for a real unit.
    this.#serialNumbers.set(serialNumber, `${"999999995000000000".slice(0, serialNumber.length - 2)}${count}`);
  }

  /** Learns every serial number in a document, by the names of its keys. */
  learnFromDocument(document: unknown, key = ""): void {
    if (typeof document === "string") {
      if (/^serialNumbers?$/.test(key)) this.#learnSerialNumber(document);
    } else if (Array.isArray(document)) for (const each of document) this.learnFromDocument(each, key);
    else if (typeof document === "object" && document !== null)
      for (const [name, each] of Object.entries(document)) this.learnFromDocument(each, name);
  }

  /** The host in an address, if it is not this machine's own. */
  learnHost(host: string | undefined): void {
    if (host === undefined || host === "" || isLocal(host) || this.#hosts.has(host)) return;
    this.#hosts.set(host, `host-${this.#hosts.size + 1}`);
  }

  /** Learns the serial numbers that units have told here. */
  learnFrom(traffic: readonly TrafficEvent[]): void {
    const decoder = new FrameDecoder();
    let command = "";
    for (const event of traffic) {
      if (event.kind === "sent") command = latin1(event.bytes, 0, Math.max(0, event.bytes.length - 3));
      if (event.kind !== "received") continue;
      for (const part of decoder.push(event.bytes)) {
        if (part.kind !== "frame" || part.body === "NAK") continue;
        const found = serialNumberIn(command, part);
        if (found !== undefined && !/^0+$/.test(found)) this.#learnSerialNumber(found);
      }
    }
  }

  /** A text with everything replaced that is known, and every network address. */
  text(given: string): string {
    let text = given;
    for (const [real, other] of this.#serialNumbers) text = text.replaceAll(real, other);
    for (const [real, other] of this.#hosts) text = text.replaceAll(real, other);
    text = text.replaceAll(/(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/g, (address) => this.#address(address));
    if (this.#home.length > 1) text = text.replaceAll(this.#home, "~");
    // Frames written out as bytes hide a serial number from the lines above.
    return text.replaceAll(/\b(?:[0-9A-Fa-f]{2} ){4,}[0-9A-Fa-f]{2}\b/g, (bytes) => this.#hexText(bytes));
  }

  /** The same for everything inside, names of keys included. What a key calls a secret is blanked whatever it is. */
  value(given: unknown): unknown {
    if (typeof given === "string") return this.text(given);
    if (Array.isArray(given)) return given.map((each) => this.value(each));
    if (typeof given !== "object" || given === null) return given;
    const entries = Object.entries(given).filter(([, each]) => each !== undefined);
    return Object.fromEntries(entries.map(([key, each]) => [this.text(key), isSecret(key) ? blank : this.value(each)]));
  }

  /** Same lengths, same times; frames that were whole are whole again. */
  traffic(events: readonly TrafficEvent[]): TrafficEvent[] {
    const stream = Uint8Array.from(events.flatMap((event) => (event.kind === "received" ? [...event.bytes] : [])));
    const clean = this.#stream(stream);
    let taken = 0;
    return events.map((event) => {
      if (event.kind === "sent") return { ...event, bytes: this.#command(event.bytes) };
      if (event.kind !== "received") return event;
      const bytes = clean.slice(taken, taken + event.bytes.length);
      taken += event.bytes.length;
      return { ...event, bytes };
    });
  }

  #address(address: string): string {
    if (isIP(address) === 0 || isLocal(address)) return address;
    this.learnHost(address);
    return this.#hosts.get(address) ?? blank;
  }

  #hexText(text: string): string {
    const bytes = Uint8Array.from(text.split(" "), (each) => Number.parseInt(each, 16));
    return Array.from(this.#stream(bytes), (byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(" ");
  }

  #command(bytes: Uint8Array): Uint8Array {
    const end = bytes.length - 3;
    const before = latin1(bytes, 0, Math.max(0, end));
    const after = this.#replaced(before);
    return after === before ? bytes : resealed(bytes, 0, end, after);
  }

  #replaced(text: string): string {
    let after = text;
    for (const [real, other] of this.#serialNumbers) after = after.replaceAll(real, other);
    return after;
  }

  /** Bytes from a unit: whole frames keep their form, and what is between them loses every run of digits that may be a piece. */
  #stream(bytes: Uint8Array): Uint8Array {
    const clean = bytes.slice();
    let damagedFrom = 0;
    for (const [start, end] of wholeFrames(bytes)) {
      this.#damaged(clean, damagedFrom, start);
      damagedFrom = end;
      const before = latin1(bytes, start, end - 3);
      const after = this.#replaced(before);
      if (after !== before) clean.set(resealed(bytes.subarray(start, end), 0, end - start - 3, after), start);
    }
    this.#damaged(clean, damagedFrom, clean.length);
    return clean;
  }

  #damaged(bytes: Uint8Array, start: number, end: number): void {
    const before = latin1(bytes, start, end);
    const others = [...this.#serialNumbers.values()];
    const after = this.#replaced(before).replaceAll(/[0-9A-Za-z]*\d[0-9A-Za-z]*/g, (run) => {
      // Bit fields are of 0 and 1 alone.
      if (run.length < pieceLength || /^[01]+$/.test(run)) return run;
      const at = others.map((other) => run.indexOf(other)).find((index) => index >= 0);
      return at === undefined ? "0".repeat(run.length) : run;
    });
    bytes.set(latin1Bytes(after), start);
  }
}

/** Where whole frames stand, from `(` to behind CR. */
function wholeFrames(bytes: Uint8Array): (readonly [start: number, end: number])[] {
  const frames: (readonly [number, number])[] = [];
  let start = -1;
  for (const [index, byte] of bytes.entries()) {
    if (byte === OPEN) start = index;
    if (byte !== CR || start < 0) continue;
    const end = index - 2;
    if (end > start && matchChecksum(bytes, start, end, bytes[end] ?? 0, bytes[end + 1] ?? 0) !== undefined)
      frames.push([start, index + 1]);
    start = -1;
  }
  return frames;
}

/** The same frame or command with another content of the same length, and a checksum of the same habit if it had a right one. */
function resealed(bytes: Uint8Array, start: number, end: number, content: string): Uint8Array {
  const sealed = bytes.slice();
  sealed.set(latin1Bytes(content), start);
  const habit = matchChecksum(bytes, start, end, bytes[end] ?? 0, bytes[end + 1] ?? 0);
  if (habit !== undefined) sealed.set(checksum(sealed.subarray(start, end), habit), end);
  return sealed;
}

function serialNumberIn(command: string, frame: Parameters<typeof decodeReply>[1]): string | undefined {
  try {
    const reply = decodeReply(findRequest(command), frame);
    const serialNumber = reply.kind === "data" ? reply.values["serialNumber"] : undefined;
    return typeof serialNumber === "string" ? serialNumber : undefined;
  } catch (error) {
    if (error instanceof ReplyError || error instanceof RefusedError) return undefined;
    throw error;
  }
}

function isSecret(key: string): boolean {
  return /password|passwd|secret|token|username|clientid/i.test(key) && !/file$/i.test(key);
}

function isLocal(host: string): boolean {
  return host === "localhost" || host.startsWith("127.") || host === "0.0.0.0" || host === "::" || host === "::1" || host === "[::1]";
}
