import { RefusedError } from "../model/errors.ts";
import { rowFlags, type HistoryRow, type RowFlag } from "../model/history.ts";
import type { Origin, Value } from "../model/reading.ts";
import { ByteReader, ByteWriter, damaged, deflated, inflated, sealed, unsealed } from "./bytes.ts";
import { readNumbers, readRuns, readTimes, readWords, runsOf, writeNumbers, writeRuns, writeTimes, writeWords } from "./column.ts";

/*
 * The rows of one stream, column by column, so that one series can be read without the others; docs/history-format.md.
 */

const version = 1;
const originNumbers: readonly Origin[] = ["measured", "derived", "estimated"];

/** Which rows have the column; its values stand for those alone. */
type Presence = readonly (readonly [present: number, length: number])[];

interface Building {
  readonly rows: number[];
  readonly values: Value[];
  readonly origins: number[];
  isNumber: boolean;
}

/** Rows of one stream, ascending in time, each time once. Throws RefusedError `value-invalid` for others, and for a NaN. */
export function encodeSegment(rows: readonly HistoryRow[]): Uint8Array {
  checkTimes(rows);
  const columns = new Map<string, Building>();
  for (const [index, { values, origins }] of rows.entries()) {
    for (const name in values) {
      const value = values[name] as Value;
      if (Number.isNaN(value)) throw new RefusedError("value-invalid", `${name}: expected a number, got NaN`);
      let column = columns.get(name);
      if (column === undefined) columns.set(name, (column = { rows: [], values: [], origins: [], isNumber: true }));
      column.rows.push(index);
      column.values.push(value);
      column.origins.push(origins === undefined ? 0 : originNumbers.indexOf(origins[name] ?? "measured"));
      column.isNumber &&= typeof value === "number";
    }
  }
  const out = new ByteWriter();
  out.byte(version);
  out.varint(rows.length);
  const times = new ByteWriter();
  writeTimes(
    times,
    rows.map(({ at }) => at),
  );
  out.block(deflated(times.done()));
  writeRuns(out, runsOf(rows.map(({ flags }) => flagBits(flags))));
  out.varint(columns.size);
  const bodies: Uint8Array[] = [];
  for (const [name, column] of columns) {
    const body = new ByteWriter();
    if (column.isNumber) writeNumbers(body, column.values as number[]);
    else writeWords(body, column.values);
    const packed = deflated(body.done());
    bodies.push(packed);
    out.text(name);
    out.byte(column.isNumber ? 0 : 1);
    writeRuns(out, presenceOf(column.rows, rows.length));
    writeRuns(out, runsOf(column.origins));
    out.varint(packed.length);
  }
  for (const body of bodies) out.raw(body);
  return sealed(out.done());
}

function checkTimes(rows: readonly HistoryRow[]): void {
  let before = Number.NEGATIVE_INFINITY;
  for (const { at } of rows) {
    if (!Number.isSafeInteger(at) || at <= before)
      throw new RefusedError(
        "value-invalid",
        `Expected rows at whole milliseconds, each later than the one before, got ${at} after ${before}`,
      );
    before = at;
  }
}

function flagBits(flags: readonly RowFlag[] | undefined): number {
  return (flags ?? []).reduce((bits, flag) => bits | (1 << rowFlags.indexOf(flag)), 0);
}

function presenceOf(present: readonly number[], total: number): Presence {
  if (present.length === total) return [[1, total]];
  const marks = new Uint8Array(total);
  for (const row of present) marks[row] = 1;
  return runsOf(marks);
}

interface Entry {
  readonly name: string;
  readonly isNumber: boolean;
  readonly origins: readonly (readonly [number, number])[];
  readonly presence: Presence;
  /** Rows that have it. */
  readonly count: number;
  readonly body: Uint8Array;
}

interface Opened {
  readonly count: number;
  readonly times: Float64Array;
  readonly flags: readonly (readonly [number, number])[];
  readonly entries: readonly Entry[];
}

function open(bytes: Uint8Array): Opened {
  const input = new ByteReader(unsealed(bytes));
  const given = input.byte();
  if (given !== version) throw damaged(`expected a segment of version ${version}, got ${given}`);
  const count = input.varint();
  const times = readTimes(new ByteReader(inflated(input.block())), count);
  const flags = readRuns(input, count);
  const heads = Array.from({ length: input.count(5) }, () => {
    const name = input.text();
    const isNumber = input.byte() === 0;
    const presence = readRuns(input, count);
    const present = sumOf(presence);
    return { name, isNumber, presence, count: present, origins: readRuns(input, present), length: input.varint() };
  });
  const entries = heads.map(({ length, ...head }) => ({ ...head, body: input.raw(length) }));
  return { count, times, flags, entries };
}

function sumOf(presence: Presence): number {
  return presence.reduce((sum, [present, length]) => sum + (present === 1 ? length : 0), 0);
}

function* presentRows(presence: Presence): Generator<number> {
  let row = 0;
  for (const [present, length] of presence) {
    if (present === 1) for (let index = 0; index < length; index++) yield row + index;
    row += length;
  }
}

/** One series of a segment: times and values of the rows that have it. */
export type Column =
  | { readonly type: "number"; readonly times: Float64Array; readonly values: Float64Array }
  | { readonly type: "words"; readonly times: Float64Array; readonly values: readonly Value[] };

/** Absent where no row has it. Throws StoreError `store-damaged`. */
export function readColumn(bytes: Uint8Array, name: string): Column | undefined {
  const opened = open(bytes);
  const entry = opened.entries.find((each) => each.name === name);
  return entry && columnOf(opened, entry);
}

/** Every series of a segment by name. */
export function readColumns(bytes: Uint8Array): Map<string, Column> {
  const opened = open(bytes);
  return new Map(opened.entries.map((entry) => [entry.name, columnOf(opened, entry)]));
}

function columnOf({ count, times }: Opened, { isNumber, presence, count: present, body }: Entry): Column {
  const input = new ByteReader(inflated(body));
  const own = present === count ? times : Float64Array.from(presentRows(presence), (row) => times[row] ?? 0);
  return isNumber
    ? { type: "number", times: own, values: readNumbers(input, present) }
    : { type: "words", times: own, values: readWords(input, present) };
}

/** The rows again, without their payloads. Throws StoreError `store-damaged`. */
export function decodeSegment(bytes: Uint8Array, { inverter, command }: Pick<HistoryRow, "inverter" | "command">): HistoryRow[] {
  const opened = open(bytes);
  const values = Array.from({ length: opened.count }, (): Record<string, Value> => ({}));
  const origins: (Record<string, Exclude<Origin, "measured">> | undefined)[] = Array.from({ length: opened.count }, () => undefined);
  for (const entry of opened.entries) {
    const column = columnOf(opened, entry);
    const originAt = expand(entry.origins);
    let index = 0;
    for (const row of presentRows(entry.presence)) {
      (values[row] as Record<string, Value>)[entry.name] = column.values[index] as Value;
      const origin = originNumbers[originAt.next().value ?? 0];
      if (origin !== undefined && origin !== "measured") (origins[row] ??= {})[entry.name] = origin;
      index++;
    }
  }
  const flags = expand(opened.flags);
  return values.map((own, row) => {
    const bits = flags.next().value ?? 0;
    const known = origins[row];
    return {
      inverter,
      at: opened.times[row] ?? 0,
      command,
      values: own,
      ...(known !== undefined && { origins: known }),
      ...(bits !== 0 && { flags: rowFlags.filter((_, bit) => (bits & (1 << bit)) !== 0) }),
    };
  });
}

function* expand(given: readonly (readonly [number, number])[]): Generator<number, undefined> {
  for (const [what, length] of given) for (let index = 0; index < length; index++) yield what;
  return undefined;
}
