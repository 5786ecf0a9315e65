import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { HistoryRow } from "../../model/history.ts";
import { silentLogger } from "../../model/logger.ts";
import { keptEnergy } from "../../store/energy-table.ts";
import { StoreReader } from "../../store/reader.ts";
import { HistoryWriter } from "../../store/writer.ts";
import { EnergyKeeper } from "./energy-keeper.ts";
import { readEnergy } from "./energy-reader.ts";
import { energyPaceOf } from "./energy-recount.ts";

const start = Date.UTC(2026, 5, 1);
const hourMs = 3_600_000;
const always = { from: start, to: start + 100 * hourMs };
const pace = energyPaceOf(5_000);
const { signal } = new AbortController();

let folder: string;
let now = start;
let keeper: EnergyKeeper;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-energy-"));
  now = start;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (): Promise<HistoryWriter> =>
  HistoryWriter.open({ folder, logger: silentLogger, now: () => now, beside: (tables) => (keeper = new EnergyKeeper(tables, pace)) });

/** 600 W of load, and a PV power that rises evenly from 0 to 3,600 W in ten hours. */
const status = (inverter: string, at: number): HistoryRow => ({
  inverter,
  at,
  command: "QPIGS",
  values: {
    loadActivePower: 600,
    pv1Power: Math.round((at - start) / 10_000),
    batteryVoltage: 52,
    batteryChargeCurrent: 0,
    batteryDischargeCurrent: 0,
  },
});
const identity = (inverter: string, at: number, serialNumber: string): HistoryRow => ({
  inverter,
  at,
  command: "QID",
  values: { serialNumber },
});
const record = (inverter: string, at: number, serialNumber: string, command = "QPGS1"): HistoryRow => ({
  inverter,
  at,
  command,
  values: { unitExists: true, serialNumber, loadActivePower: 400, batteryVoltage: 52, batteryChargeCurrent: 0, batteryDischargeCurrent: 0 },
});

function every(stepMs: number, hours: number, row: (at: number) => readonly HistoryRow[]): HistoryRow[] {
  const rows: HistoryRow[] = [];
  for (let at = start; at < start + hours * hourMs; at += stepMs) rows.push(...row(at));
  return rows;
}

async function live(writer: HistoryWriter, rows: readonly HistoryRow[]): Promise<void> {
  for (const row of rows) {
    now = row.at;
    await writer.append([row]);
    await writer.tick();
  }
}

test("what was counted live, over a writer that was killed, is what is counted anew from an import of the same rows", async () => {
  const rows = every(30_000, 5, (at) => [status("one", at)]);
  const killed = await open();
  await live(killed, rows.slice(0, 317));
  await using writer = await open();
  await live(writer, rows.slice(317));
  await writer.seal();
  const counted = keeper.totals.units["one"];
  expect(counted?.load).toBeCloseTo((600 * (5 * hourMs - 30_000)) / hourMs, 6);
  expect(counted?.pv1).toBeCloseTo((((1_800 * (5 * hourMs - 30_000)) / hourMs / 2) * (5 * hourMs - 30_000)) / (5 * hourMs), -1);
  const kept = keptEnergy(writer.tables, "one", always);
  await using reader = await StoreReader.open({ folder, timeZone: "UTC" });
  const [read] = await readEnergy(reader, always, { pace, signal });
  // The quarter of an hour that goes on is read as far as it goes.
  expect(read?.buckets.slice(0, -1)).toEqual(kept);
  expect(read?.buckets).toHaveLength(20);

  const other = await mkdtemp(join(tmpdir(), "sonkrag-energy-"));
  {
    await using imported = await HistoryWriter.open({
      folder: other,
      logger: silentLogger,
      now: () => now,
      beside: (tables) => (keeper = new EnergyKeeper(tables, pace)),
    });
    imported.ingest(rows);
    expect(keptEnergy(imported.tables, "one", always).slice(0, -1)).toEqual(kept);
    expect(keeper.totals.units).toEqual({});
  }
  await rm(other, { recursive: true });
});

test("a unit at a cable of its own is counted once, whoever else tells of it, live and counted anew", async () => {
  await using writer = await open();
  const rows = every(15_000, 2, (at) => [
    ...(at === start ? [record("one", at, "222")] : []),
    ...(at === start ? [identity("one", at + 1, "111"), identity("two", at + 2, "222")] : []),
    status("one", at + 10),
    record("one", at + 20, "222"),
    status("two", at + 30),
  ]);
  await live(writer, rows);
  await writer.seal();
  const { units, total } = keeper.totals;
  expect(Object.keys(units)).toEqual(["one", "two"]);
  expect(total.load).toBeCloseTo((units["one"]?.load ?? 0) + (units["two"]?.load ?? 0), 6);
  expect(units["two"]?.load).toBeCloseTo((600 * (2 * hourMs - 15_000)) / hourMs, 1);
  const before = keptEnergy(writer.tables, "two", always);
  writer.ingest([status("one", start + 12_345)]);
  expect(keptEnergy(writer.tables, "two", always)).toEqual(before);
});

test("a unit that only others tell of is counted under its serial number, once it is clear that it has no cable", async () => {
  await using writer = await open();
  await live(writer, [identity("one", start, "111"), ...every(15_000, 1, (at) => [status("one", at + 10), record("one", at + 20, "333")])]);
  await writer.seal();
  const { units } = keeper.totals;
  expect(Object.keys(units)).toEqual(["one", "unit-333"]);
  expect(units["unit-333"]?.load).toBeCloseTo((400 * (hourMs - 15_000 - 120_000)) / hourMs, 0);
});
