import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import { StoreError } from "../model/errors.ts";

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder("utf-8", { fatal: true });
/** Below this, compressing costs more than it brings. */
const leastToDeflate = 40;
/** No block of ours is larger; a damaged length must not make us reserve memory without end. */
const mostInflated = 64 * 1024 * 1024;

/** Bytes that grow. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  /** A whole number from 0 to 2^53 − 1 in as few bytes as it needs. */
  varint(value: number): void {
    this.#room(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A whole number from −2^52 to 2^52 − 1. */
  signed(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  float(value: number): void {
    this.#room(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  text(value: string): void {
    this.block(textEncoder.encode(value));
  }

  /** Its length, then the bytes. */
  block(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** What was written, shared with the writer. */
  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Reads what a ByteWriter wrote; throws StoreError `store-damaged` beyond the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw damaged("expected more bytes");
    return value;
  }

  varint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 8; count++) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
    throw damaged("expected a whole number of at most eight bytes");
  }

  /** A count of things that take at least `least` bytes each, so that a damaged one is seen before memory is reserved. */
  count(least = 0): number {
    const value = this.varint();
    if (value * least > this.left) throw damaged(`expected at most ${this.left} bytes, got a count of ${value}`);
    return value;
  }

  signed(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  float(): number {
    if (this.left < 8) throw damaged("expected eight more bytes");
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  text(): string {
    try {
      return textDecoder.decode(this.block());
    } catch (cause) {
      if (cause instanceof StoreError) throw cause;
      throw damaged("expected text", cause);
    }
  }

  block(): Uint8Array {
    return this.raw(this.count(1));
  }

  raw(length: number): Uint8Array {
    if (length > this.left) throw damaged(`expected ${length} more bytes, got ${this.left}`);
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }
}

export function damaged(what: string, cause?: unknown): StoreError {
  return new StoreError("store-damaged", `A block of the history is damaged: ${what}`, cause === undefined ? {} : { cause });
}

/** Compressed where that makes it smaller. */
export function deflated(bytes: Uint8Array): Uint8Array {
  if (bytes.length >= leastToDeflate) {
    const small = deflateRawSync(bytes);
    if (small.length < bytes.length) return prefixed(1, small);
  }
  return prefixed(0, bytes);
}

export function inflated(bytes: Uint8Array): Uint8Array {
  const body = bytes.subarray(1);
  if (bytes[0] === 0) return body;
  if (bytes[0] !== 1) throw damaged(`expected a block that is plain or deflated, got mark ${bytes[0] ?? "none"}`);
  try {
    return inflateRawSync(body, { maxOutputLength: mostInflated });
  } catch (cause) {
    throw damaged("expected a deflated block", cause);
  }
}

function prefixed(mark: number, bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(bytes.length + 1);
  all[0] = mark;
  all.set(bytes, 1);
  return all;
}

/** With a checksum behind, so that any change of a byte is seen. */
export function sealed(bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(bytes.length + 4);
  all.set(bytes);
  new DataView(all.buffer).setUint32(bytes.length, crc32(bytes), true);
  return all;
}

/** The bytes before the checksum. Throws StoreError `store-damaged`. */
export function unsealed(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 4) throw damaged(`expected at least 4 bytes, got ${bytes.length}`);
  const body = bytes.subarray(0, bytes.length - 4);
  const wanted = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(body.length, true);
  if (crc32(body) !== wanted) throw damaged("its checksum does not fit");
  return body;
}
