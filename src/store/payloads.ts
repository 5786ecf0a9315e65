import { ByteReader, ByteWriter, damaged, deflated, inflated, sealed, unsealed } from "./bytes.ts";
import { readTimes, writeTimes } from "./column.ts";

/** An answer as it came, without `(`, checksum and CR; Latin-1. */
export interface KeptPayload {
  readonly at: number;
  readonly payload: string;
}

const version = 1;

/** Answers of one stream, ascending in time, packed together: each differs little from the one before. */
export function encodePayloads(frames: readonly KeptPayload[]): Uint8Array {
  const out = new ByteWriter();
  for (const { payload } of frames) out.block(Buffer.from(payload, "latin1"));
  const times = new ByteWriter();
  writeTimes(
    times,
    frames.map(({ at }) => at),
  );
  const all = new ByteWriter();
  all.byte(version);
  all.varint(frames.length);
  all.block(deflated(times.done()));
  all.block(deflated(out.done()));
  return sealed(all.done());
}

/** Throws StoreError `store-damaged`. */
export function decodePayloads(bytes: Uint8Array): KeptPayload[] {
  const input = new ByteReader(unsealed(bytes));
  const given = input.byte();
  if (given !== version) throw damaged(`expected frames of version ${version}, got ${given}`);
  const count = input.varint();
  const times = readTimes(new ByteReader(inflated(input.block())), count);
  const lines = new ByteReader(inflated(input.block()));
  return Array.from(times, (at) => ({ at, payload: Buffer.from(lines.block()).toString("latin1") }));
}
