import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { HistoryRow } from "../model/history.ts";
import { StoreReader } from "./reader.ts";
import { readingsFromDay, thin, type Retention } from "./retention.ts";
import { SegmentWriter } from "./segment-writer.ts";

const dayMs = 86_400_000;
const start = Date.UTC(2026, 0, 1);
const days = 30;
const now = start + days * dayMs;
const { signal } = new AbortController();
const forEver: Retention = { readingsDays: 0, framesDays: 0, bytes: 0 };

let folder: string;
let writer: SegmentWriter;
const row = (at: number, value = (at / 1_000) % 97): HistoryRow => ({
  inverter: "one",
  at,
  command: "QPIGS",
  payload: `${at} ${value}`,
  values: { batteryVoltage: value },
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-thin-"));
  writer = await SegmentWriter.open({ folder, now: () => now });
  writer.ingest(Array.from({ length: days * 1_440 }, (_, minute) => row(start + minute * 60_000)));
  while (writer.pack());
});
afterEach(async () => {
  await writer[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const count = (table: string): number => (writer.tables.database.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n;
function thinAll(retention: Retention): void {
  while (thin(writer.tables, now, retention));
}
async function daysMaxima(): Promise<number[]> {
  await using reader = await StoreReader.open({ folder, timeZone: "UTC" });
  const { buckets } = await reader.series({ inverter: "one", name: "batteryVoltage", from: start, to: now, level: "1d" }, { signal });
  return buckets.map(({ max }) => max);
}

test("what has no limit stays", async () => {
  thinAll(forEver);
  expect([count("segment"), count("frames"), count("day")]).toEqual([days * 24, days * 24, days]);
});

test("frames and readings go by age, each by its own; minutes and longer stay, and answer where readings are gone", async () => {
  const before = await daysMaxima();
  thinAll({ ...forEver, framesDays: 5, readingsDays: 10 });
  expect([count("frames"), count("segment"), count("day")]).toEqual([5 * 24, 10 * 24, days]);
  expect(await daysMaxima()).toEqual(before);
  await using reader = await StoreReader.open({ folder, timeZone: "UTC" });
  const gone = { inverter: "one", name: "batteryVoltage", from: start, to: start + 3_600_000 };
  expect(await reader.series(gone, { signal })).toMatchObject({ level: "1min", buckets: { length: 60 } });
  expect(await reader.series({ ...gone, from: now - 3_600_000, to: now }, { signal })).toMatchObject({
    level: "raw",
    buckets: { length: 60 },
  });
});

test("a late row of a day whose readings are gone changes its own minute and no other", async () => {
  thinAll({ ...forEver, readingsDays: 10 });
  expect(readingsFromDay(writer.tables)).toBe((now - 10 * dayMs) / dayMs);
  writer.ingest([row(start + 90_000, 500)]);
  while (writer.pack());
  await using reader = await StoreReader.open({ folder, timeZone: "UTC" });
  const { buckets } = await reader.series(
    { inverter: "one", name: "batteryVoltage", from: start, to: start + dayMs, level: "1min" },
    { signal },
  );
  expect(buckets).toHaveLength(1_440);
  expect(buckets[1]?.max).toBe(500);
  expect(buckets[5]?.max).toBe(((start + 300_000) / 1_000) % 97);
  expect((await daysMaxima())[0]).toBe(500);
});

test("readings of a day that has no pack yet are not deleted", () => {
  writer.ingest([row(start + 90_001)]);
  thinAll({ ...forEver, readingsDays: 10 });
  expect(count("segment")).toBe(days * 24);
  while (writer.pack());
  thinAll({ ...forEver, readingsDays: 10 });
  expect(count("segment")).toBe(10 * 24);
});

test("too large, the oldest frames go first and then the oldest readings, never a pack", async () => {
  const before = await daysMaxima();
  thinAll({ ...forEver, bytes: 1 });
  expect([count("frames"), count("segment"), count("day"), count("month")]).toEqual([0, 0, days, 0]);
  expect(await daysMaxima()).toEqual(before);
});
