import { readdirSync, readFileSync } from "node:fs";
import type { Values } from "../../src/model/reading.ts";
import { decodeReply } from "../../src/protocol/decode.ts";
import { findRequest } from "../../src/protocol/pi30/dialect.ts";

const folder = new URL("../fixtures/frames/", import.meta.url);

function load(name: string): unknown[] {
  return (JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8")) as { vectors: unknown[] }).vectors;
}

export interface CommandVector {
  readonly command: string;
  readonly raw: string;
  readonly sent: string;
  readonly frame: string;
  readonly zeroBumped?: string;
}
export const commandVectors = load("commands") as readonly CommandVector[];

export interface ReplyVector {
  readonly command: string;
  readonly provenance: "captured" | "payload captured" | "constructed" | "sample";
  readonly model?: string;
  readonly note?: string;
  readonly payload: string;
  readonly checksum: string;
  readonly length: number;
}
const others = ["commands.json", "replies.json", "rejected.json"];
/** Replies to inquiries, of every file that holds nothing else. */
export const replyVectors = readdirSync(folder)
  .filter((name) => !others.includes(name))
  .flatMap((name) => load(name.replace(/\.json$/, "")) as ReplyVector[]);

/** All but refusals. */
export const dataVectors = replyVectors.filter(({ payload }) => payload !== "NAK");

export interface WholeFrameVector {
  readonly payload: string;
  readonly note: string;
  readonly frame: string;
}
export const wholeFrameVectors = load("replies") as readonly WholeFrameVector[];

export interface RejectedVector {
  readonly frame: string;
  readonly discarded: readonly string[];
  readonly why: string;
}
export const rejectedVectors = load("rejected") as readonly RejectedVector[];

export function bytesOf(hexText: string): Uint8Array {
  return Uint8Array.from(hexText.split(" "), (byte) => Number.parseInt(byte, 16));
}

/** The frame of a reply vector, put together without the code under test. */
export function frameOf({ payload, checksum }: Pick<ReplyVector, "payload" | "checksum">): Uint8Array {
  return Uint8Array.from([0x28, ...Array.from(payload, (character) => character.charCodeAt(0)), ...bytesOf(checksum), 0x0d]);
}

/** CRC-16/XMODEM bit by bit, and the reserved-byte rule as the vendor's listing has it: shares nothing with the code under test. */
export function vendorChecksum(bytes: Uint8Array): [high: number, low: number] {
  let register = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const carry = ((register >> 15) & 1) ^ ((byte >> bit) & 1);
      register = (register << 1) & 0xffff;
      if (carry === 1) register ^= 0x1021;
    }
  }
  const reserved = (byte: number): number => (byte === 0x28 || byte === 0x0d || byte === 0x0a ? byte + 1 : byte);
  return [reserved(register >> 8), reserved(register & 0xff)];
}

/** The values of the one fixture of this command whose payload contains the given piece; `$` stands for its end. */
export function read(command: string, piece: string): { values: Values; tail: readonly string[] } {
  const found = replyVectors.filter((vector) => vector.command === command && `${vector.payload}$`.includes(piece));
  if (found.length !== 1) throw new Error(`expected one fixture of ${command} with ${JSON.stringify(piece)}, got ${found.length}`);
  const reply = decodeReply(findRequest(command), { body: found[0]!.payload });
  if (reply.kind !== "data") throw new Error(`expected data, got ${reply.kind}`);
  return { values: reply.values, tail: reply.tail };
}
