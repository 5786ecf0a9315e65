import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { energyPaceOf } from "../../src/app/history/energy-recount.ts";
import { readEnergy } from "../../src/app/history/energy-reader.ts";
import type { HistoryRow } from "../../src/model/history.ts";
import { StoreReader } from "../../src/store/reader.ts";
import { eventually } from "../support/readings.ts";
import { Service, temporaryFolder } from "../support/service.ts";
import { cli } from "./cli.ts";

const id = "simulated-99999999000001";
const { signal } = new AbortController();

async function kept(folder: string): Promise<HistoryRow[]> {
  await using reader = await StoreReader.open({ folder, timeZone: "UTC" });
  const rows: HistoryRow[] = [];
  for await (const part of reader.rows({ from: 0, to: Number.MAX_SAFE_INTEGER, payloads: true }, { signal })) rows.push(...part);
  return rows;
}

async function wattHours(folder: string): Promise<number> {
  await using reader = await StoreReader.open({ folder, timeZone: "UTC" });
  const range = { from: Date.now() - 86_400_000, to: Date.now() + 86_400_000 };
  const units = await readEnergy(reader, range, { pace: energyPaceOf(1_000), signal });
  return units.reduce((sum, { buckets }) => sum + buckets.reduce((all, { flows }) => all + (flows.load?.wattHours ?? 0), 0), 0);
}

it("killed again and again, the program loses no reading and counts no energy twice; a clean end leaves all in place", async () => {
  await using folder = await temporaryFolder();
  const data = join(folder.path, "data");
  const history = join(data, "history");
  const args = ["run", "--device", "sim:", "--http", "off", "--mqtt", "off", "--poll", "500ms", "--data-dir", data];
  let before: HistoryRow[] = [];
  let energy = 0;
  for (const end of ["SIGKILL", "SIGKILL", "SIGTERM"] as const) {
    await using program = await Service.start(args, /Ctrl-C/);
    const statuses = (rows: readonly HistoryRow[]) => rows.filter(({ command }) => command === "QPIGS").length;
    const wanted = statuses(before) + 8;
    await eventually("readings are kept", async () => statuses(await kept(history).catch(() => [])) >= wanted, 30_000);
    const atLeast = await kept(history);
    await program.stop(end);
    const rows = await kept(history);
    expect(rows.slice(0, atLeast.length)).toEqual(atLeast);
    expect(rows.slice(0, before.length)).toEqual(before);
    expect(new Set(rows.map(({ inverter, command, at }) => `${inverter} ${command} ${at}`)).size).toBe(rows.length);
    const now = await wattHours(history);
    expect(now).toBeGreaterThan(energy);
    [before, energy] = [rows, now];
  }
  expect(before.find(({ command }) => command === "QID")).toMatchObject({ inverter: id, payload: "99999999000001" });
  expect(before.find(({ command }) => command === "QPIGS")?.origins).toMatchObject({ batteryPower: "derived" });
  const files = (await readdir(history)).filter((name) => name.startsWith("wal-"));
  expect(files).toHaveLength(1);
}, 120_000);

it("a history of a newer program is refused with a clear message and left alone; without one the program runs on", async () => {
  await using folder = await temporaryFolder();
  const data = join(folder.path, "data");
  const run = ["run", "--device", "sim:", "--http", "off", "--mqtt", "off", "--data-dir", data];
  {
    await using program = await Service.start(run, /history +\S+history\n/);
    await program.stop();
  }
  const { openDatabase } = await import("../../src/store/database.ts");
  const database = await openDatabase(join(data, "history", "history.db"));
  database.exec("PRAGMA user_version = 999");
  database.close();
  const refused = await cli(run);
  expect(refused.exit).not.toBe(0);
  expect(refused.stderr).toMatch(/expected history of version \d+ or older, got 999: it was written by a newer sonkrag/);
  const config = join(folder.path, "sonkrag.yaml");
  await writeFile(config, "history:\n  enabled: false\n");
  await using program = await Service.start([...run, "--config", config], /Ctrl-C/);
  await program.stop();
  await rm(config);
}, 60_000);
