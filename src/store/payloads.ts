import { ByteReader, ByteWriter, damaged, deflated, inflated, sealed, unsealed } from "./bytes.ts";
import { readTimes, writeTimes } from "./column.ts";

/** An answer as it came, without `(`, checksum and CR; Latin-1. */
export interface KeptPayload {
  readonly at: number;
  readonly payload: string;
}

const version = 1;

/** How the answers lie: one after another, or, where all are equally long, their first bytes, then their second ones. */
const order = { lines: 0, places: 1 } as const;

/** Answers of one stream, ascending in time, packed together: each differs little from the one before. */
export function encodePayloads(frames: readonly KeptPayload[]): Uint8Array {
  const times = new ByteWriter();
  writeTimes(
    times,
    frames.map(({ at }) => at),
  );
  const lines = frames.map(({ payload }) => Buffer.from(payload, "latin1"));
  const out = new ByteWriter();
  const length = lines[0]?.length ?? 0;
  if (lines.every((line) => line.length === length)) {
    out.byte(order.places);
    out.varint(length);
    out.raw(turned(Buffer.concat(lines), lines.length, length));
  } else {
    out.byte(order.lines);
    for (const line of lines) out.block(line);
  }
  const all = new ByteWriter();
  all.byte(version);
  all.varint(frames.length);
  all.block(deflated(times.done()));
  all.block(deflated(out.done()));
  return sealed(all.done());
}

/** The bytes of so many rows, each so long, column after column; with the two numbers exchanged, back again. */
function turned(bytes: Uint8Array, rows: number, length: number): Uint8Array {
  const all = new Uint8Array(bytes.length);
  if (all.length === 0) return all;
  let to = 0;
  for (let place = 0; place < length; place++) for (let row = 0; row < rows; row++) all[to++] = bytes[row * length + place] as number;
  return all;
}

/** Throws StoreError `store-damaged`. */
export function decodePayloads(bytes: Uint8Array): KeptPayload[] {
  const input = new ByteReader(unsealed(bytes));
  const given = input.byte();
  if (given !== version) throw damaged(`expected frames of version ${version}, got ${given}`);
  const count = input.varint();
  const times = readTimes(new ByteReader(inflated(input.block())), count);
  const body = new ByteReader(inflated(input.block()));
  const lines = linesOf(body, count);
  return Array.from(times, (at, index) => ({ at, payload: lines(index) }));
}

/** What gives the answers in their order. */
function linesOf(body: ByteReader, count: number): (index: number) => string {
  const given = body.byte();
  if (given === order.lines) return () => latin1(body.block());
  if (given !== order.places) throw damaged(`expected an order of answers, got ${given}`);
  const length = body.count(count);
  const text = latin1(turned(body.raw(length * count), length, count));
  return (index) => text.slice(index * length, (index + 1) * length);
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
