import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StoreReader } from "../../../store/reader.ts";
import { importLogs, type ImportLogsOptions } from "./import-logs.ts";

const { signal } = new AbortController();
const line =
  "2026-01-05 12:00:00,230.0 49.9 230.0 49.9 0210 0138 004 418 52.00 000 100 0048 0000 000.0 00.00 00001 00010101 00 00 00000 110\n";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-imports-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function optionsWith(known: readonly string[], more: Partial<ImportLogsOptions> = {}): Promise<ImportLogsOptions> {
  const registryFile = join(folder, "inverters.json");
  await writeFile(registryFile, JSON.stringify({ version: 1, inverters: known.map((id) => ({ id, location: "" })) }));
  return {
    folder: join(folder, "history"),
    rejectsFolder: join(folder, "history", "rejects"),
    registryFile,
    timeZone: "Europe/Berlin",
    inverter: undefined,
    mapping: undefined,
    recover: false,
    dryRun: false,
    pollMs: 5_000,
    ...more,
  };
}

async function file(name: string, text = line): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, text);
  return path;
}

async function inverters(): Promise<string[]> {
  await using reader = await StoreReader.open({ folder: join(folder, "history"), timeZone: "UTC" });
  return (await reader.contents()).map(({ inverter }) => inverter);
}

test.each([
  ["the option", "shed/a.log", ["house", "shed"], "garage", "garage"],
  ["the folder's name, where that is an inverter", "shed/a.log", ["house", "shed"], undefined, "shed"],
  ["the only one that is known, simulated ones aside", "logs/a.log", ["house", "simulated-1"], undefined, "house"],
] as const)("whose log it is tells %s", async (_, name, known, inverter, expected) => {
  await importLogs([await file(name)], await optionsWith(known, { inverter }), { signal });
  expect(await inverters()).toEqual([expected]);
});

test("our CSV log says itself whose it is, unless the option says otherwise", async () => {
  const text = "time,gridVoltage[V],loadActivePower[W],inverter\n2026-01-05T12:00:00.000+01:00,230.1,500,shed\n";
  await importLogs([await file("a.csv", text)], await optionsWith([]), { signal });
  expect(await inverters()).toEqual(["shed"]);
  await importLogs([await file("a.csv", text)], await optionsWith([], { inverter: "garage" }), { signal });
  expect(await inverters()).toEqual(["garage", "shed"]);
});

test("where nothing tells whose log it is, that is asked for, with those that are known; an id that is none is refused", async () => {
  const log = await file("logs/a.log");
  await expect(importLogs([log], await optionsWith(["house", "shed"]), { signal })).rejects.toThrow(
    "logs/a.log: expected --inverter ID, the inverter that the log is of; known are house, shed",
  );
  await expect(importLogs([log], await optionsWith([]), { signal })).rejects.toThrow("none is known yet");
  await expect(importLogs([log], await optionsWith([], { inverter: "The Garage" }), { signal })).rejects.toThrow(
    'expected an id of lower-case letters, digits and hyphens, got "The Garage"',
  );
});

test("where one file is no log, none is begun", async () => {
  const options = await optionsWith(["house"]);
  await expect(importLogs([await file("a.log"), await file("b.log", "words\n")], options, { signal })).rejects.toThrow(
    "b.log: expected a log",
  );
  expect(await readdir(folder)).not.toContain("history");
});
