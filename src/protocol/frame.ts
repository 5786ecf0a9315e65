import { matchChecksum, type ChecksumHabit } from "./crc.ts";

/** One whole reply whose checksum is right (or a NAK, which some firmware sends without one). */
export interface Frame {
  readonly kind: "frame";
  /** From `(` to CR, both included. */
  readonly raw: Uint8Array;
  /** What stands between `(` and the checksum, as Latin-1: checksums may hold any byte, payloads never do. */
  readonly body: string;
  readonly checksum: ChecksumHabit | "none";
}

/**
 * Bytes that were thrown away, and why:
 * `noise` outside any frame · `restarted` a `(` inside a frame: two replies merged · `checksum` wrong, missing, or right
 * over bytes that no payload holds ·
 * `oversize` longer than any reply · `unfinished` the line fell silent before the CR.
 */
export interface Discarded {
  readonly kind: "discarded";
  readonly raw: Uint8Array;
  readonly reason: "noise" | "restarted" | "checksum" | "oversize" | "unfinished";
}

const START = 0x28;
const CR = 0x0d;
const LF = 0x0a;
/** The longest known reply has 143 bytes. */
const MAX_FRAME = 512;
/** `(`, one payload character, two checksum bytes, CR. */
const MIN_FRAME = 5;

/**
 * Cuts a byte stream into frames, however it is chunked. Padding around frames (zero bytes of 8-byte HID reports, the
 * LF some firmware adds) belongs to nothing and is dropped in silence; every other byte comes out in a Frame or a Discarded.
 */
export class FrameDecoder {
  #buffer = new Uint8Array(MAX_FRAME);
  #length = 0;
  #inFrame = false;

  /** True while a reply has begun and not ended. */
  get open(): boolean {
    return this.#inFrame;
  }

  /** What has come since the last frame and belongs to none; padding is not in it. */
  get outside(): Uint8Array {
    return this.#buffer.slice(0, this.#inFrame ? 0 : this.#length);
  }

  /** How many bytes have come since the last frame; padding does not count. */
  get begun(): number {
    return this.#length;
  }

  push(chunk: Uint8Array): (Frame | Discarded)[] {
    const out: (Frame | Discarded)[] = [];
    for (const byte of chunk) {
      if (byte === START) {
        this.#discard(this.#inFrame ? "restarted" : "noise", out);
        this.#inFrame = true;
        this.#append(byte);
      } else if (this.#inFrame) {
        this.#append(byte);
        if (byte === CR) {
          out.push(this.#finish());
        } else if (this.#length === MAX_FRAME) {
          this.#discard("oversize", out);
        }
      } else if (byte !== 0 && byte !== LF) {
        this.#append(byte);
        if (byte === CR || this.#length === MAX_FRAME) this.#discard("noise", out);
      }
    }
    return out;
  }

  /** Gives up what is half received, when the line has been silent too long for the rest to come. */
  flush(): Discarded[] {
    const out: Discarded[] = [];
    this.#discard(this.#inFrame ? "unfinished" : "noise", out);
    return out;
  }

  #append(byte: number): void {
    this.#buffer[this.#length++] = byte;
  }

  #take(): Uint8Array {
    const raw = this.#buffer.slice(0, this.#length);
    this.#length = 0;
    this.#inFrame = false;
    return raw;
  }

  #discard(reason: Discarded["reason"], out: (Frame | Discarded)[]): void {
    if (this.#length > 0) out.push({ kind: "discarded", raw: this.#take(), reason });
  }

  #finish(): Frame | Discarded {
    const raw = this.#take();
    const end = raw.length - 3;
    const habit = raw.length >= MIN_FRAME && isSound(raw, end) ? matchChecksum(raw, 0, end, raw[end]!, raw[end + 1]!) : undefined;
    if (habit !== undefined) return { kind: "frame", raw, body: latin1(raw, 1, end), checksum: habit };
    if (isBareNak(raw)) return { kind: "frame", raw, body: "NAK", checksum: "none" };
    return { kind: "discarded", raw, reason: "checksum" };
  }
}

/**
 * A checksum that starts at 0 stays right when zero bytes slip in between it and the CR, as HID padding may: the checksum
 * then counts as payload and the zeros as checksum. Such a frame betrays itself by a payload byte that is no printable
 * ASCII, or by the checksum 00 00, which costs one good reply in 65,536. One zero byte after a checksum that begins with
 * a printable character is left to the fields: the last one then has the wrong width.
 */
function isSound(raw: Uint8Array, end: number): boolean {
  for (let i = 1; i < end; i++) if (raw[i]! < 0x20 || raw[i]! > 0x7e) return false;
  return raw[end] !== 0 || raw[end + 1] !== 0;
}

/** EASun SP-3200 and others send NAK without a usable checksum; a refusal carries no value, so it is safe to believe. */
function isBareNak(raw: Uint8Array): boolean {
  return raw.length < 12 && raw[1] === 0x4e && raw[2] === 0x41 && raw[3] === 0x4b;
}

/** How this frame shows a 00 byte of its checksum; absent where it has none. */
export function zeroChecksumOf({ raw, checksum }: Frame): { readonly zeroChecksum?: ChecksumHabit } {
  if (checksum === "none" || (checksum === "plain" && raw.at(-3) !== 0 && raw.at(-2) !== 0)) return {};
  return { zeroChecksum: checksum };
}

/** Bytes to text one to one; never UTF-8: a checksum byte may be 80 or above. */
export function latin1(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/** Text to bytes one to one; characters above FF do not occur in this protocol. */
export function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** `28 4E 41` as people and papers write bytes. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(" ");
}
