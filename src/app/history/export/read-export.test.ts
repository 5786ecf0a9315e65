import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { historyOf } from "../../../../test/support/history-in-memory.ts";
import { rowFlags, type HistoryRow } from "../../../model/history.ts";
import { LocalTime } from "../../../model/local-time.ts";
import { silentLogger } from "../../../model/logger.ts";
import type { HistoryReader } from "../../../store/ports.ts";
import { StoreReader } from "../../../store/reader.ts";
import { HistoryWriter } from "../../../store/writer.ts";
import { exportFormatNames as formats } from "./formats.ts";
import { readExport } from "./read-export.ts";
import { startExport, type ExportQuery } from "./start-export.ts";

const start = Date.UTC(2026, 5, 1);
const hourMs = 3_600_000;
const local = LocalTime.of("Africa/Johannesburg");
const { signal } = new AbortController();

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-export-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function exported(reader: HistoryReader, query: Partial<ExportQuery>): Promise<Buffer> {
  const whole = { level: "raw", format: "csv", payloads: true, from: start, to: start + 1_000 * hourMs, ...query } as const;
  const { chunks } = await startExport(reader, whole, { local, now: start, signal });
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

async function read(file: string): Promise<HistoryRow[]> {
  const rows: HistoryRow[] = [];
  for await (const part of readExport(file, { signal })) rows.push(...part);
  return rows;
}

const keyOf = ({ inverter, at, command }: HistoryRow): string => `${at} ${inverter} ${command}`;
const inOrder = (rows: readonly HistoryRow[]): HistoryRow[] => rows.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));

const odd = ["", "=1+1", "-5", "5", "+1", "@a", "'", "''", '"', "[", "[1]", "true", "null", "NaN", "a,b;c\td", "#x", "a#b", " x", "x "];
const odder = [
  "\r",
  "\n",
  "\r\n",
  "\uFEFFmark",
  "\uD800",
  "x\uDC00y",
  "a|b",
  "00072.70",
  "1e999",
  "-0",
  "é".repeat(50_000),
  '{"a":1}',
  "😀",
  "\0",
];
const text = fc.oneof(fc.string({ unit: "binary", maxLength: 20 }), fc.constantFrom(...odd), fc.constantFrom(...odder));
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom(-0, 0, 0.1, 1e21, 5e-324, Number.MAX_VALUE, -53.25),
);
const value = fc.oneof(number, text, fc.boolean(), fc.array(text, { maxLength: 4 }), fc.array(number, { minLength: 1, maxLength: 4 }));
const names = [
  "batteryVoltage",
  "operatingMode",
  "warnings",
  "serialNumber",
  "at",
  "time",
  "payload",
  "origins",
  'weird, "x"',
  "ζ",
] as const;
const origins = ["measured", "derived", "estimated"] as const;
const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCodePoint(code)) });
const row = fc
  .record({
    inverter: fc.constantFrom("one", "two", "3"),
    at: fc.integer({ min: start, max: start + 1_000_000 }),
    command: fc.constantFrom("QPIGS", "QMOD", "=1"),
    values: fc.dictionary(fc.constantFrom(...names), value, { minKeys: 1, noNullPrototype: true }),
    marks: fc.array(fc.constantFrom(...origins), { minLength: names.length, maxLength: names.length }),
    flags: fc.subarray([...rowFlags]),
    payload: fc.option(latin1, { nil: undefined }),
  })
  .map(({ marks, flags, payload, ...parts }): HistoryRow => {
    const own = Object.keys(parts.values).flatMap((name, index) => {
      const origin = marks[index] ?? "measured";
      return origin === "measured" ? [] : [[name, origin] as const];
    });
    return {
      ...parts,
      ...(payload !== undefined && { payload }),
      ...(own.length > 0 && { origins: Object.fromEntries(own) }),
      ...(flags.length > 0 && { flags }),
    };
  });
const anyRows = fc.uniqueArray(row, { minLength: 1, maxLength: 12, selector: keyOf });

/** Rows of two inverters, some of which are flagged, with a value that is derived at times. */
function twoInverters(): HistoryRow[] {
  return Array.from({ length: 600 }, (_, index): HistoryRow => {
    const place = { inverter: index % 3 === 0 ? "two" : "one", at: start + Math.floor(index / 3) * 60_000, payload: `${index} 50.0` };
    if (index % 3 === 2)
      return { ...place, command: "QMOD", values: { operatingMode: index % 2 === 0 ? "line" : "battery", warnings: [] } };
    return {
      ...place,
      command: "QPIGS",
      values: { batteryVoltage: 50 + (index % 40) / 10, batteryPower: -index, serialNumber: "00992931905106", loadOn: index % 7 === 0 },
      origins: { batteryPower: index % 5 === 0 ? "estimated" : "derived" },
      ...(index % 50 === 0 && { flags: ["stale"] as const }),
    };
  });
}

async function fillStore(path: string, rows: readonly HistoryRow[]): Promise<void> {
  await using writer = await HistoryWriter.open({ folder: path, logger: silentLogger, now: () => start + 900 * hourMs });
  writer.ingest(rows);
  while (writer.pack());
}

async function exportedStore(path: string, query: Partial<ExportQuery>): Promise<Buffer> {
  await using reader = await StoreReader.open({ folder: path, timeZone: local.timeZone });
  return await exported(reader, query);
}

describe.each(formats)("%s", (format) => {
  test("rows come back exactly", { timeout: 60_000 }, async () => {
    const file = join(folder, "rows");
    await fc.assert(
      fc.asyncProperty(anyRows, async (rows) => {
        await writeFile(file, await exported(historyOf(rows), { format }));
        expect(await read(file)).toStrictEqual(inOrder(rows));
      }),
      { numRuns: 150 },
    );
  });

  test("from one store into another and out again gives the same bytes", async () => {
    const file = join(folder, "out");
    await fillStore(join(folder, "first"), twoInverters());
    await writeFile(file, await exportedStore(join(folder, "first"), { format }));
    const rows = await read(file);
    expect(rows).toStrictEqual(inOrder(twoInverters()));
    // In another order, as imports may come.
    await fillStore(join(folder, "second"), rows.toReversed());
    expect(await exportedStore(join(folder, "second"), { format })).toStrictEqual(await readFile(file));
  });

  test("a file that was cut short is told", async () => {
    const whole = await exported(historyOf(twoInverters()), { format });
    const file = join(folder, "cut");
    await writeFile(file, whole.subarray(0, whole.length - 10));
    await expect(read(file)).rejects.toThrow(/cut(:601|:61\d)?: expected/);
  });
});

test.each(["csv", "jsonl"] as const)("%s comes back packed by gzip, and a cut one is told", async (format) => {
  const file = join(folder, "rows.gz");
  const packed = gzipSync(await exported(historyOf(twoInverters()), { format }));
  await writeFile(file, packed);
  expect(await read(file)).toStrictEqual(inOrder(twoInverters()));
  await writeFile(file, packed.subarray(0, packed.length - 20));
  await expect(read(file)).rejects.toThrow("rows.gz: expected an export, got");
});

test("a file of more lines than are held at a time comes back whole", { timeout: 60_000 }, async () => {
  const rows = Array.from({ length: 41_000 }, (_, index) => ({
    inverter: "one",
    at: start + index * 5_000,
    command: "QPIGS",
    values: { batteryVoltage: 50 + (index % 7) / 10, ...(index > 20_500 && { operatingMode: "line", warnings: ["x"] }) },
  }));
  for (const format of formats) {
    const file = join(folder, "long");
    await writeFile(file, await exported(historyOf(rows), { format }));
    expect(await read(file)).toStrictEqual(rows);
  }
});

test("another file is refused", async () => {
  const file = join(folder, "other");
  const table = await exported(historyOf(twoInverters()), {});
  for (const [content, message] of [
    ["time,load\n1,2\n", "other:1: expected a line of an export"],
    ["", "got an empty file"],
    ["PAR1 and nothing else", "expected a whole Parquet file"],
    [table.toString().replace('"sonkragExport":1', '"sonkragExport":2'), "other:1: expected a line of an export"],
    [table.toString().replace("\ntime,at,", "\nat,time,"), "expected the columns time, at,"],
    [table.toString().replace(",one,QPIGS,", ",,QPIGS,"), /other:1\d: expected a line/],
  ] as const) {
    await writeFile(file, content);
    await expect(read(file)).rejects.toThrow(message);
  }
  await expect(read(join(folder, "none"))).rejects.toThrow("got none there");
});
