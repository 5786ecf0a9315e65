import type { Value } from "../model/reading.ts";
import { damaged, type ByteReader, type ByteWriter } from "./bytes.ts";

/*
 * One column of numbers or of words. Most numbers of an inverter have few decimals and change little from one reading
 * to the next: as whole numbers of the smallest decimal, each as its step from the one before, they take a byte or none.
 */

const powers = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000] as const;
/** Larger ones would lose digits as their steps grow. */
const mostWhole = 2 ** 50;
export const mostDecimals = 4;

/** Decimals with which every number is a whole one, exactly; absent where there is none. */
export function decimalsOf(values: ArrayLike<number>): number | undefined {
  let decimals = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    while (!isWhole(value, decimals)) if (++decimals > mostDecimals) return undefined;
  }
  // More decimals than one needs can bend another.
  for (let index = 0; index < values.length; index++) if (!isWhole(values[index] as number, decimals)) return undefined;
  return decimals;
}

function isWhole(value: number, decimals: number): boolean {
  const power = powers[decimals] ?? 1;
  const whole = Math.round(value * power);
  return whole / power === value && Math.abs(whole) < mostWhole && !Object.is(value, -0);
}

export function wholeOf(value: number, decimals: number): number {
  return Math.round(value * (powers[decimals] ?? 1));
}

export function fromWhole(whole: number, decimals: number): number {
  return whole / (powers[decimals] ?? 1);
}

const kind = { constant: 0, whole: 1, float: 2 } as const;

export function writeNumbers(out: ByteWriter, values: ArrayLike<number>): void {
  const first = values[0];
  if (first === undefined || isConstant(values, first)) {
    out.byte(kind.constant);
    out.float(first ?? 0);
    return;
  }
  const decimals = decimalsOf(values);
  if (decimals === undefined) {
    out.byte(kind.float);
    for (let index = 0; index < values.length; index++) out.float(values[index] as number);
    return;
  }
  out.byte(kind.whole);
  out.byte(decimals);
  let before = 0;
  for (let index = 0; index < values.length; index++) {
    const whole = wholeOf(values[index] as number, decimals);
    out.signed(whole - before);
    before = whole;
  }
}

function isConstant(values: ArrayLike<number>, first: number): boolean {
  for (let index = 0; index < values.length; index++) if (!Object.is(values[index], first)) return false;
  return true;
}

export function readNumbers(input: ByteReader, count: number): Float64Array {
  const given = input.byte();
  if (given === kind.constant) return new Float64Array(count).fill(input.float());
  const values = new Float64Array(count);
  if (given === kind.float) {
    for (let index = 0; index < count; index++) values[index] = input.float();
  } else if (given === kind.whole) {
    const decimals = input.byte();
    if (decimals > mostDecimals) throw damaged(`expected at most ${mostDecimals} decimals, got ${decimals}`);
    let whole = 0;
    for (let index = 0; index < count; index++) values[index] = fromWhole((whole += input.signed()), decimals);
  } else throw damaged(`expected a kind of column, got ${given}`);
  return values;
}

/** Times in ms, ascending: readings come at an even pace, so it is the change of the step that is written. */
export function writeTimes(out: ByteWriter, times: ArrayLike<number>): void {
  let before = 0;
  let step = 0;
  for (let index = 0; index < times.length; index++) {
    const time = times[index] as number;
    out.signed(time - before - step);
    step = index === 0 ? 0 : time - before;
    before = time;
  }
}

export function readTimes(input: ByteReader, count: number): Float64Array {
  if (count > input.left) throw damaged(`expected ${count} times, got ${input.left} bytes`);
  const times = new Float64Array(count);
  let before = 0;
  let step = 0;
  for (let index = 0; index < count; index++) {
    const time = before + step + input.signed();
    step = index === 0 ? 0 : time - before;
    times[index] = before = time;
  }
  return times;
}

/** Words, yes and no, lists and what else is no number: each different one once, then runs of them. */
export function writeWords(out: ByteWriter, values: readonly Value[]): void {
  const numbers = new Map<string, number>();
  const runs: { word: number; length: number }[] = [];
  for (const value of values) {
    const text = valueText(value);
    let word = numbers.get(text);
    if (word === undefined) numbers.set(text, (word = numbers.size));
    const last = runs.at(-1);
    if (last?.word === word) last.length++;
    else runs.push({ word, length: 1 });
  }
  out.varint(numbers.size);
  for (const text of numbers.keys()) out.text(text);
  writeRuns(
    out,
    runs.map(({ word, length }) => [word, length]),
  );
}

export function readWords(input: ByteReader, count: number): Value[] {
  const words = Array.from({ length: input.count(1) }, () => valueOf(input.text()));
  const values: Value[] = [];
  for (const [word, length] of readRuns(input, count)) {
    const value = words[word];
    if (value === undefined) throw damaged(`expected a word below ${words.length}, got ${word}`);
    for (let index = 0; index < length; index++) values.push(value);
  }
  return values;
}

/** JSON that can also tell −0 and what is not finite from 0 and null; every reader of JSON takes these numbers as they are. */
export function valueText(value: Value): string {
  if (typeof value === "number")
    return Object.is(value, -0) ? "-0" : Number.isFinite(value) ? String(value) : value > 0 ? "1e999" : "-1e999";
  return isNumbers(value) ? `[${value.map(valueText).join()}]` : JSON.stringify(value);
}

const isNumbers = (value: Value): value is readonly number[] => typeof value === "object" && typeof value[0] === "number";

function valueOf(text: string): Value {
  try {
    return JSON.parse(text) as Value;
  } catch (cause) {
    throw damaged(`expected a word as JSON, got ${text.slice(0, 40)}`, cause);
  }
}

type Run = readonly [what: number, length: number];

/** Numbers that stay the same for long. */
export function writeRuns(out: ByteWriter, runs: readonly Run[]): void {
  out.varint(runs.length);
  for (const [what, length] of runs) {
    out.varint(what);
    out.varint(length);
  }
}

/** Runs that make up `total` together. */
export function readRuns(input: ByteReader, total: number): Run[] {
  const runs: Run[] = [];
  let sum = 0;
  for (let left = input.count(2); left > 0; left--) {
    const run = [input.varint(), input.varint()] as const;
    sum += run[1];
    if (sum > total) break;
    runs.push(run);
  }
  if (sum !== total) throw damaged(`expected runs over ${total} rows, got ${sum}`);
  return runs;
}

/** The runs of a sequence of small numbers. */
export function runsOf(numbers: Iterable<number>): Run[] {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last?.[0] === number) last[1]++;
    else runs.push([number, 1]);
  }
  return runs;
}
