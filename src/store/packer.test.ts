import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { HistoryRow } from "../model/history.ts";
import { dayOf, hourOf, keyOf } from "./keys.ts";
import { packedBuckets } from "./pack.ts";
import { SegmentWriter } from "./segment-writer.ts";

const start = Date.UTC(2026, 0, 1);
const dayMs = 86_400_000;
const hourMs = 3_600_000;

let folder: string;
let writer: SegmentWriter;
const row = (at: number): HistoryRow => ({ inverter: "one", at, command: "QPIGS", values: { batteryVoltage: 50 } });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-pack-"));
  writer = await SegmentWriter.open({ folder, now: () => start + 32 * dayMs });
  writer.ingest(Array.from({ length: 31 * 24 * 6 }, (_, step) => row(start + step * 600_000)));
});
afterEach(async () => {
  await writer[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function spoil(table: "segment" | "day", period: number): void {
  const { tables } = writer;
  const key = keyOf(tables.streamId("one", "QPIGS"), period);
  tables.database.prepare(`UPDATE ${table} SET body = zeroblob(50) WHERE key = ?`).run(key);
}

const setAside = (): unknown[] => writer.tables.database.prepare("SELECT place, length(body) AS size FROM damaged ORDER BY place").all();

test("a damaged hour is set aside; its day is packed from the others, and every later one is packed too", () => {
  spoil("segment", hourOf(start + 5 * hourMs));
  while (writer.pack());
  expect(setAside()).toEqual([{ place: "segment", size: 50 }]);
  const stream = writer.tables.streamId("one", "QPIGS");
  const pack = writer.tables.get("day", stream, dayOf(start));
  const hours = new Set(
    packedBuckets(pack ?? new Uint8Array(), "batteryVoltage", 60_000).map(({ at }) => Math.floor((at - start) / hourMs)),
  );
  // The value before the lost hour stands for a while into it.
  expect([...hours].filter((hour) => hour !== 5)).toHaveLength(23);
  expect(writer.tables.get("day", stream, dayOf(start) + 30)).toBeDefined();
});

test("a damaged day is set aside and made anew from its hours, and its month after it", () => {
  while (writer.pack());
  const stream = writer.tables.streamId("one", "QPIGS");
  const before = writer.tables.get("month", stream, 56 * 12);
  spoil("day", dayOf(start) + 3);
  writer.tables.mark("dirty_month", stream, 56 * 12);
  while (writer.pack());
  expect(setAside()).toEqual([{ place: "day", size: 50 }]);
  expect(writer.tables.get("month", stream, 56 * 12)).toEqual(before);
});
