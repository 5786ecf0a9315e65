import fc from "fast-check";
import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { HistoryRow } from "../model/history.ts";
import { Tail } from "./tail.ts";
import { readWriteAhead, WriteAhead, writeAheadFiles } from "./write-ahead.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-ahead-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const value = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0 || 0),
  fc.string(),
  fc.boolean(),
  fc.array(fc.string(), { maxLength: 3 }),
);
const row: fc.Arbitrary<HistoryRow> = fc
  .record({
    inverter: fc.constantFrom("one", "two"),
    at: fc.integer({ min: 1, max: 2 ** 50 }),
    command: fc.constantFrom("QPIGS", "QMOD"),
    payload: fc.option(
      fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 8 }).map((bytes) => String.fromCodePoint(...bytes)),
      { nil: undefined },
    ),
    values: fc.dictionary(fc.constantFrom("a", "b", "c", "d"), value),
    flag: fc.constantFrom(undefined, "stale" as const),
  })
  .map(({ payload, flag, values, ...rest }) => ({
    ...rest,
    values: { ...values },
    ...(payload !== undefined && { payload }),
    ...(flag !== undefined && { flags: [flag] }),
    ...("a" in values && { origins: { a: "derived" as const } }),
  }));

test("rows come back as they went in, whatever is in them", async () => {
  let number = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(row, { maxLength: 5 }), { maxLength: 5 }), async (batches) => {
      const ahead = await WriteAhead.create(folder, ++number);
      for (const batch of batches) await ahead.append(batch);
      await ahead[Symbol.asyncDispose]();
      expect(await readWriteAhead(ahead.file.path)).toEqual({ rows: batches.flat(), tornBytes: 0, damagedLines: 0 });
    }),
    { numRuns: 60 },
  );
});

const plain = (at: number): HistoryRow => ({ inverter: "one", at, command: "QPIGS", payload: "x", values: { batteryVoltage: at / 10 } });
const some = Array.from({ length: 20 }, (_, index) => plain(1_000 + index));

async function written(): Promise<string> {
  const ahead = await WriteAhead.create(folder, 1);
  await ahead.append(some);
  await ahead[Symbol.asyncDispose]();
  return ahead.file.path;
}

test("cut anywhere, every whole line before the cut is there and nothing else", async () => {
  const path = await written();
  const bytes = await readFile(path);
  for (let length = bytes.length; length > 0; length -= 7) {
    await truncate(path, length);
    const { rows, tornBytes, damagedLines } = await readWriteAhead(path);
    const lines = bytes.subarray(0, length).toString().split("\n").length - 1;
    expect(rows).toEqual(some.slice(0, Math.max(0, lines - 1)));
    expect(tornBytes).toBe(length - (bytes.subarray(0, length).lastIndexOf(0x0a) + 1));
    expect(damagedLines).toBe(0);
  }
});

test("a changed byte costs its own line and is counted; zeroes and noise at the end too", async () => {
  const path = await written();
  const bytes = await readFile(path);
  for (let place = 5; place < bytes.length; place += 53) {
    const changed = Buffer.from(bytes);
    changed[place] = (changed[place] ?? 0) ^ 0x01;
    await writeFile(path, changed);
    const { rows, damagedLines } = await readWriteAhead(path);
    for (const each of rows) expect(some).toContainEqual(each);
    expect(rows.length + damagedLines).toBeGreaterThanOrEqual(some.length - 1);
    expect(rows.length).toBeLessThan(some.length + 1);
  }
  await writeFile(path, bytes);
  await appendFile(path, Buffer.concat([Buffer.alloc(64), Buffer.from("\nabc\n")]));
  expect(await readWriteAhead(path)).toEqual({ rows: some, tornBytes: 0, damagedLines: 2 });
});

test("a page of zeroes anywhere, the first one too, takes its own rows alone", async () => {
  const ahead = await WriteAhead.create(folder, 1);
  const many = Array.from({ length: 5_000 }, (_, index) => plain(1_000 + index));
  for (const each of many) await ahead.append([each]);
  await ahead[Symbol.asyncDispose]();
  const bytes = await readFile(ahead.file.path);
  const page = 4_096;
  for (let start = 0; start < bytes.length; start += 9 * page) {
    const holed = Buffer.from(bytes);
    holed.fill(0, start, start + page);
    await writeFile(ahead.file.path, holed);
    const { rows } = await readWriteAhead(ahead.file.path);
    expect(many.length - rows.length).toBeLessThanOrEqual(page / 30);
    expect(rows.length).toBeLessThan(many.length);
  }
});

test("a tail follows a file that grows, and forgets one that is gone", async () => {
  const ahead = await WriteAhead.create(folder, 7);
  const tail = new Tail(folder);
  for (const each of some) {
    await ahead.append([each]);
    await tail.refresh();
    expect(tail.rows("one", "QPIGS", 0, each.at + 1).at(-1)).toEqual(each);
  }
  expect(tail.rows("one", "QPIGS", 1_005, 1_008)).toEqual(some.slice(5, 8));
  expect(tail.rows("two", "QPIGS", 0, 2_000)).toEqual([]);
  await ahead[Symbol.asyncDispose]();
  await rm(ahead.file.path);
  expect(await writeAheadFiles(folder)).toEqual([]);
  await tail.refresh();
  expect([...tail.all()]).toEqual([]);
});
