import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { HistoryRow } from "../model/history.ts";
import { silentLogger } from "../model/logger.ts";
import { StoreReader } from "./reader.ts";
import { HistoryWriter } from "./writer.ts";

const start = Date.UTC(2026, 5, 1, 0);
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const { signal } = new AbortController();

let folder: string;
let now = start;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-store-"));
  now = start;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (): Promise<HistoryWriter> => HistoryWriter.open({ folder, logger: silentLogger, now: () => now });

/** A battery that sinks by 0.1 V a minute, with a spike of one reading. */
function row(at: number, command = "QPIGS"): HistoryRow {
  const minute = Math.floor((at - start) / 60_000);
  const isSpike = at === start + 13 * hourMs + 5_000;
  return {
    inverter: "one",
    at,
    command,
    payload: `${minute} 50.0`,
    values: {
      batteryVoltage: isSpike ? 63.9 : 54 - (minute % 60) / 10,
      operatingMode: minute % 120 < 60 ? "line" : "battery",
      warnings: [],
    },
    origins: { batteryVoltage: "derived" },
  };
}

function rowsOf(from: number, to: number, stepMs = 5_000): HistoryRow[] {
  const rows: HistoryRow[] = [];
  for (let at = from; at < to; at += stepMs) rows.push(row(at));
  return rows;
}

async function record(writer: HistoryWriter, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 600_000) {
    now = Math.min(at + 600_000, to);
    await writer.append(rowsOf(at, now));
    await writer.tick();
    while (writer.pack());
  }
}

async function allRows(): Promise<HistoryRow[]> {
  await using reader = await StoreReader.open({ folder, timeZone: "UTC" });
  const rows: HistoryRow[] = [];
  for await (const part of reader.rows({ from: 0, to: Number.MAX_SAFE_INTEGER, payloads: true }, { signal })) rows.push(...part);
  return rows;
}

test("what was appended is read back row by row: from the write-ahead file, from segments, and over the border", async () => {
  await using writer = await open();
  await record(writer, start, start + 2 * hourMs + 600_000);
  expect((await readdir(folder)).filter((name) => name.startsWith("wal-"))).toHaveLength(1);
  expect(await allRows()).toEqual(rowsOf(start, start + 2 * hourMs + 600_000));
});

test("a writer that was not closed loses nothing that was appended, and the same rows again change nothing", async () => {
  const killed = await open();
  await record(killed, start, start + hourMs + 600_000);
  await using writer = await open();
  const rows = rowsOf(start, start + hourMs + 600_000);
  expect(await allRows()).toEqual(rows);
  expect(writer.ingest(rows)).toEqual({ added: 0, repeated: rows.length, conflicting: 0 });
  const other = { ...row(start), values: { batteryVoltage: 1 } };
  expect(writer.ingest([other])).toEqual({ added: 0, repeated: 0, conflicting: 1 });
  expect(await allRows()).toEqual(rows);
});

test("no level and no number of points hides a spike of one reading", async () => {
  await using writer = await open();
  await record(writer, start, start + 40 * dayMs);
  await using reader = await StoreReader.open({ folder, timeZone: "Africa/Johannesburg" });
  for (const days of [1, 3, 20, 40]) {
    for (const points of [1, 7, 100, 1_000, 10_000]) {
      const series = await reader.series(
        { inverter: "one", name: "batteryVoltage", from: start, to: start + days * dayMs, points },
        { signal },
      );
      expect(series.buckets.length).toBeLessThanOrEqual(points);
      expect(Math.max(...series.buckets.map(({ max }) => max))).toBe(63.9);
      const covered = series.buckets.reduce((sum, { coveredMs }) => sum + coveredMs, 0);
      expect(covered / (days * dayMs)).toBeCloseTo(1, 2);
      for (const { min, mean, max } of series.buckets) expect(min <= mean && mean <= max).toBe(true);
    }
  }
  const byDay = await reader.series(
    { inverter: "one", name: "batteryVoltage", from: start, to: start + 40 * dayMs, level: "1d" },
    { signal },
  );
  expect(byDay.buckets[1]).toMatchObject({ at: start + 22 * hourMs, count: 17_280, min: 48.1, max: 54, coveredMs: dayMs });
  const spans = await reader.spans({ inverter: "one", name: "operatingMode", from: start, to: start + 40 * dayMs }, { signal });
  expect(spans).toHaveLength(40 * 24);
  expect(spans[1]).toEqual({ from: start + hourMs, to: start + 2 * hourMs, value: "battery" });
}, 120_000);

test("rows of an impossible time or number are refused and counted, never kept", async () => {
  await using writer = await open();
  await writer.append([row(0), row(start + 3 * dayMs), row(Number.NaN), { ...row(start), values: { load: Number.NaN } }, row(start)]);
  expect(writer.state).toMatchObject({ refused: 4, unsealed: 1 });
});

test("a damaged block is set aside when rows come for its hour; the new rows and every later hour are kept", async () => {
  await using writer = await open();
  await record(writer, start, start + hourMs + 600_000);
  writer.tables.database.exec("UPDATE segment SET body = zeroblob(100)");
  const later = rowsOf(start + 1, start + 60_000);
  expect(writer.ingest(later)).toEqual({ added: later.length, repeated: 0, conflicting: 0 });
  await record(writer, start + hourMs + 600_000, start + 3 * hourMs);
  const rows = await allRows();
  expect(rows.slice(0, later.length)).toEqual(later);
  expect(rows).toHaveLength(later.length + (2 * hourMs) / 5_000);
  expect(writer.tables.database.prepare("SELECT place, length(body) AS size FROM damaged").all()).toEqual([
    { place: "segment", size: 100 },
  ]);
});
