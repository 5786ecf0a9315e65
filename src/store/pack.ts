import type { Bucket, Span } from "../model/history.ts";
import { ByteReader, ByteWriter, damaged, deflated, inflated, sealed, unsealed } from "./bytes.ts";
import { decimalsOf, fromWhole, mostDecimals, readWords, wholeOf, writeWords } from "./column.ts";

/*
 * The buckets and spans of a stream over a day or a month, series by series; docs/history-format.md.
 */

const version = 1;
/** A mean has two digits more than the values that it is of. */
const meanDigits = 2;
const perStep = 10 ** meanDigits;
/** As whole numbers of a mean's last digit, larger ones would lose digits. */
const mostWhole = 2 ** 50;
/** In place of the number of decimals: the values have none that fits all. */
const asFloats = 0xff;

/** What one series has at one width of buckets; spans have the width 0. */
export interface PackEntry {
  readonly name: string;
  readonly widthMs: number;
  readonly buckets?: readonly Bucket[];
  readonly spans?: readonly Span[];
}

/** `start`: UTC epoch milliseconds of the day or month. */
export function encodePack(start: number, entries: readonly PackEntry[]): Uint8Array {
  const out = new ByteWriter();
  out.byte(version);
  out.signed(start);
  out.varint(entries.length);
  const bodies: Uint8Array[] = [];
  for (const { name, widthMs, buckets, spans } of entries) {
    const body = new ByteWriter();
    if (buckets !== undefined) writeBuckets(body, buckets, start, widthMs);
    else writeSpans(body, spans ?? [], start);
    const packed = deflated(body.done());
    bodies.push(packed);
    out.text(name);
    out.varint(widthMs);
    out.varint(packed.length);
  }
  for (const body of bodies) out.raw(body);
  return sealed(out.done());
}

interface Opened {
  readonly start: number;
  readonly entries: readonly { readonly name: string; readonly widthMs: number; readonly body: Uint8Array }[];
}

function open(bytes: Uint8Array): Opened {
  const input = new ByteReader(unsealed(bytes));
  const given = input.byte();
  if (given !== version) throw damaged(`expected a pack of version ${version}, got ${given}`);
  const start = input.signed();
  const heads = Array.from({ length: input.count(3) }, () => ({ name: input.text(), widthMs: input.varint(), length: input.varint() }));
  return { start, entries: heads.map(({ length, ...head }) => ({ ...head, body: input.raw(length) })) };
}

/** The buckets of a series; none where the pack has none of it. Throws StoreError `store-damaged`. */
export function packedBuckets(bytes: Uint8Array, name: string, widthMs: number): Bucket[] {
  const { start, entries } = open(bytes);
  const entry = entries.find((each) => each.name === name && each.widthMs === widthMs);
  return entry === undefined ? [] : readBuckets(new ByteReader(inflated(entry.body)), start, widthMs);
}

/** The spans of a series; none where the pack has none of it. Throws StoreError `store-damaged`. */
export function packedSpans(bytes: Uint8Array, name: string): Span[] {
  const { start, entries } = open(bytes);
  const entry = entries.find((each) => each.name === name && each.widthMs === 0);
  return entry === undefined ? [] : readSpans(new ByteReader(inflated(entry.body)), start);
}

/** Everything in a pack. Throws StoreError `store-damaged`. */
export function decodePack(bytes: Uint8Array): PackEntry[] {
  const { start, entries } = open(bytes);
  return entries.map(({ name, widthMs, body }) => {
    const input = new ByteReader(inflated(body));
    return widthMs === 0
      ? { name, widthMs, spans: readSpans(input, start) }
      : { name, widthMs, buckets: readBuckets(input, start, widthMs) };
  });
}

function writeBuckets(out: ByteWriter, buckets: readonly Bucket[], start: number, widthMs: number): void {
  const decimals = decimalsFor(buckets);
  out.varint(buckets.length);
  out.byte(decimals ?? asFloats);
  let index = -1;
  for (const { at } of buckets) {
    const own = (at - start) / widthMs;
    out.varint(own - index - 1);
    index = own;
  }
  for (const { count } of buckets) out.varint(count);
  for (const { coveredMs } of buckets) out.varint(widthMs - coveredMs);
  if (decimals === undefined) {
    for (const { min, max, mean } of buckets) for (const value of [min, max, mean]) out.float(value);
    return;
  }
  let before = 0;
  for (const { mean } of buckets) {
    const whole = wholeOf(mean, decimals + meanDigits);
    out.signed(whole - before);
    before = whole;
  }
  // Extremes lie on the values' own steps: counted from the nearest step beside the mean they are small, and 0 in an even minute.
  for (const { min, mean } of buckets) out.varint(Math.floor(wholeOf(mean, decimals + meanDigits) / perStep) - wholeOf(min, decimals));
  for (const { max, mean } of buckets) out.varint(wholeOf(max, decimals) - Math.ceil(wholeOf(mean, decimals + meanDigits) / perStep));
}

/** Decimals of the extremes; absent where they and their mean are not to be had as whole numbers. */
function decimalsFor(buckets: readonly Bucket[]): number | undefined {
  const extremes = new Float64Array(2 * buckets.length);
  for (const [index, { min, max }] of buckets.entries()) extremes.set([min, max], 2 * index);
  const decimals = decimalsOf(extremes);
  if (decimals === undefined) return undefined;
  return extremes.every((value) => Math.abs(value) * 10 ** (decimals + meanDigits) < mostWhole) ? decimals : undefined;
}

function readBuckets(input: ByteReader, start: number, widthMs: number): Bucket[] {
  const length = input.count(3);
  const decimals = input.byte();
  if (decimals > mostDecimals && decimals !== asFloats) throw damaged(`expected at most ${mostDecimals} decimals, got ${decimals}`);
  let index = -1;
  const at = Array.from({ length }, () => start + (index += input.varint() + 1) * widthMs);
  const count = Array.from({ length }, () => input.varint());
  const covered = Array.from({ length }, () => widthMs - input.varint());
  if (decimals === asFloats)
    return at.map((time, place) => ({
      at: time,
      count: count[place] ?? 0,
      min: input.float(),
      max: input.float(),
      mean: input.float(),
      coveredMs: covered[place] ?? 0,
    }));
  let whole = 0;
  const mean = Array.from({ length }, () => (whole += input.signed()));
  const min = mean.map((own) => fromWhole(Math.floor(own / perStep) - input.varint(), decimals));
  const max = mean.map((own) => fromWhole(Math.ceil(own / perStep) + input.varint(), decimals));
  return at.map((time, place) => ({
    at: time,
    count: count[place] ?? 0,
    min: min[place] ?? 0,
    max: max[place] ?? 0,
    mean: fromWhole(mean[place] ?? 0, decimals + meanDigits),
    coveredMs: covered[place] ?? 0,
  }));
}

function writeSpans(out: ByteWriter, spans: readonly Span[], start: number): void {
  out.varint(spans.length);
  let before = start;
  for (const { from, to } of spans) {
    out.varint(from - before);
    out.varint(to - from);
    before = to;
  }
  writeWords(
    out,
    spans.map(({ value }) => value),
  );
}

function readSpans(input: ByteReader, start: number): Span[] {
  const length = input.count(2);
  let before = start;
  const times = Array.from({ length }, () => {
    const from = before + input.varint();
    before = from + input.varint();
    return { from, to: before };
  });
  const values = readWords(input, length) as Span["value"][];
  return times.map((time, index) => ({ ...time, value: values[index] as Span["value"] }));
}
