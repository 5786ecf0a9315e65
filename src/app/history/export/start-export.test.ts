import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { historyOf } from "../../../../test/support/history-in-memory.ts";
import { levels, type HistoryRow } from "../../../model/history.ts";
import { LocalTime } from "../../../model/local-time.ts";
import { silentLogger } from "../../../model/logger.ts";
import type { HistoryReader } from "../../../store/ports.ts";
import { StoreReader } from "../../../store/reader.ts";
import { HistoryWriter } from "../../../store/writer.ts";
import { formatOfFile } from "./formats.ts";
import { startExport, type ExportQuery } from "./start-export.ts";
import { writeExport } from "./write-export.ts";

const start = Date.UTC(2026, 5, 1);
const hourMs = 3_600_000;
const local = LocalTime.of("Africa/Johannesburg");
const { signal } = new AbortController();

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-export-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function csvOf(reader: HistoryReader, query: Partial<ExportQuery> = {}, zone = local): Promise<string> {
  const options = { local: zone, now: start + 900 * hourMs, signal };
  const { chunks } = await startExport(reader, { level: "raw", format: "csv", ...query }, options);
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

async function csvOfStore(rows: readonly HistoryRow[], query: Partial<ExportQuery>, zone = local): Promise<string> {
  const path = join(folder, "store");
  await using writer = await HistoryWriter.open({ folder: path, logger: silentLogger, now: () => start + 900 * hourMs });
  writer.ingest(rows);
  while (writer.pack());
  await using reader = await StoreReader.open({ folder: path, timeZone: zone.timeZone });
  return await csvOf(reader, query, zone);
}

/** The lines of the table, each by the names of its columns. None of these cells is quoted. */
function tableOf(csv: string): Record<string, string>[] {
  const [head = "", ...lines] = csv.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const names = head.split(",");
  return lines.map((line) => Object.fromEntries(line.split(",").map((cell, index) => [names[index] ?? "", cell])));
}

const rowAt = (minute: number, inverter = "one"): HistoryRow => ({
  inverter,
  at: start + minute * 60_000,
  command: "QPIGS",
  payload: `${minute} 50.0`,
  values: { batteryVoltage: 50 + minute / 10, batteryPower: -minute, serialNumber: "00992931905106" },
  origins: { batteryPower: "derived" },
});
const modeAt = (minute: number): HistoryRow => ({
  inverter: "one",
  at: start + minute * 60_000,
  command: "QMOD",
  values: { operatingMode: "line", warnings: [], loadOn: true },
});
const given = [0, 1, 2, 3, 4].flatMap((minute) => [rowAt(minute, "two"), rowAt(minute), modeAt(minute)]);

describe("readings", () => {
  test("CSV says of every column what it holds, for people and for programs", async () => {
    const lines = (await csvOf(historyOf(given), { from: start, to: start + 60_000 })).trimEnd().split("\n");
    expect(JSON.parse(lines[0]?.replace("# sonkrag-export ", "") ?? "")).toStrictEqual({
      sonkragExport: 1,
      level: "raw",
      timeZone: "Africa/Johannesburg",
      from: start,
      to: start + 60_000,
    });
    expect(lines.filter((line) => line.includes('"name":"battery'))).toStrictEqual([
      '# column {"column":"batteryVoltage","holds":"value","name":"batteryVoltage","label":"Battery voltage","unit":"V"}',
      '# column {"column":"batteryPower","holds":"value","name":"batteryPower","label":"Battery power","unit":"W","origin":"derived"}',
    ]);
    expect(tableOf(lines.join("\n"))).toStrictEqual([
      {
        time: "2026-06-01T02:00:00.000+02:00",
        at: String(start),
        inverter: "one",
        command: "QMOD",
        batteryVoltage: "",
        batteryPower: "",
        operatingMode: "line",
        serialNumber: "",
        warnings: "[]",
        loadOn: "true",
        flags: "",
        origins: "",
      },
      expect.objectContaining({ inverter: "one", command: "QPIGS", batteryVoltage: "50", serialNumber: "'00992931905106" }),
      expect.objectContaining({ inverter: "two", command: "QPIGS", operatingMode: "" }),
    ]);
  });

  test("give a spreadsheet no formula", async () => {
    const formulas = ["=HYPERLINK(1)", "+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1"];
    const rows = formulas.map((serialNumber, index) => ({ inverter: "=1", at: start + index, command: "QID", values: { serialNumber } }));
    const csv = await csvOf(historyOf(rows));
    for (const formula of formulas) expect(csv.replaceAll('"', "")).toContain(`,'${formula},`);
    expect(csv).toContain(",'=1,");
  });

  test("inverters, commands and values by their names", async () => {
    const history = historyOf(given);
    expect(tableOf(await csvOf(history, { inverters: ["two"] }))).toHaveLength(5);
    expect(tableOf(await csvOf(history, { commands: ["QMOD", "QPIGS"] }))).toHaveLength(15);
    const volts = tableOf(await csvOf(history, { names: ["batteryVoltage"] }));
    expect(volts).toHaveLength(10);
    expect(Object.keys(volts[0] ?? {})).toStrictEqual(["time", "at", "inverter", "command", "batteryVoltage", "flags", "origins"]);
  });

  test("the start belongs to the range, the end does not; without any it is all", async () => {
    const times = tableOf(await csvOf(historyOf(given), { from: start + 60_000, to: start + 120_000 })).map(({ at }) => Number(at));
    expect(new Set(times)).toStrictEqual(new Set([start + 60_000]));
    expect(tableOf(await csvOf(historyOf(given)))).toHaveLength(given.length);
  });

  test("the answers as they came where they are wanted", async () => {
    expect(tableOf(await csvOf(historyOf(given), { payloads: true }))[1]?.["payload"]).toBe("0 50.0");
    expect(await csvOf(historyOf(given))).not.toContain("payload");
  });

  test.each([
    [{ names: ["batteryVolts"] }, "got batteryVolts; did you mean batteryVoltage? there are batteryPower, batteryVoltage, loadOn"],
    [{ inverters: ["on"] }, "expected inverters with history, got on; did you mean one? there are one, two"],
    [{ inverters: ["two"], commands: ["QMOD"] }, "expected commands whose answers are kept, got QMOD; there are QPIGS"],
    [
      { from: start + hourMs, to: start + 2 * hourMs },
      "got 2026-06-01T03:00:00.000+02:00 to 2026-06-01T04:00:00.000+02:00; there is something from 2026",
    ],
    [{ from: start + hourMs, to: start }, "expected a range whose start is before its end, got 2026-06-01T03:00"],
    [{ level: "1h", names: ["operatingMode"] }, "expected numbers for the level 1h, got operatingMode"],
    [{ level: "1h", payloads: true }, "expected the level raw"],
  ] as const)("%j is refused", async (query, message) => {
    await expect(csvOf(historyOf(given), query)).rejects.toThrow(message);
  });

  test("of an empty history there are none", async () => {
    await expect(csvOf(historyOf([]))).rejects.toThrow("got one that is empty");
  });

  test("end when they are given up", async () => {
    const stop = new AbortController();
    const query = { level: "raw", format: "csv" } as const;
    const { chunks } = await startExport(historyOf(given), query, { local, now: start + hourMs, signal: stop.signal });
    const taken = async (): Promise<void> => {
      for await (const chunk of chunks) if (chunk.length > 0) stop.abort(new Error("enough"));
    };
    await expect(taken()).rejects.toThrow("enough");
  });
});

describe("buckets", () => {
  /** 50 V and 52 V by turns, half an hour each, over two local days. */
  const twoDays = Array.from({ length: 2 * 24 * 120 }, (_, index): HistoryRow => ({
    inverter: "one",
    at: start - 2 * hourMs + index * 30_000,
    command: "QPIGS",
    values: { batteryVoltage: index % 120 < 60 ? 50 : 52, operatingMode: "line" },
  }));
  const sizes = { "1min": 2 * 24 * 60, "15min": 2 * 96, "1h": 48, "1d": 2 } as const;

  test.each(levels.filter((level) => level !== "raw"))("%s: start, extremes, mean and coverage", async (level) => {
    const csv = await csvOfStore(twoDays, { level });
    const lines = tableOf(csv);
    expect(lines).toHaveLength(sizes[level]);
    const isLong = level === "1h" || level === "1d";
    expect(lines[0]).toStrictEqual({
      time: "2026-06-01T00:00:00.000+02:00",
      at: String(start - 2 * hourMs),
      inverter: "one",
      "batteryVoltage.min": "50",
      "batteryVoltage.max": isLong ? "52" : "50",
      "batteryVoltage.mean": isLong ? "51" : "50",
      "batteryVoltage.coverage": "100",
    });
    expect(new Set(lines.map(({ at }) => at)).size).toBe(lines.length);
    expect(csv).toContain('"name":"batteryVoltage","label":"Battery voltage","unit":"%","figure":"coverage"');
  });

  test("a range within a bucket is that bucket as a whole", async () => {
    const query = { level: "1h", from: start + 10 * 60_000, to: start + 20 * 60_000 } as const;
    expect(tableOf(await csvOfStore(twoDays, query))).toStrictEqual([
      expect.objectContaining({ at: String(start), "batteryVoltage.max": "52" }),
    ]);
  });

  test("what is missing is missing", async () => {
    const rows = twoDays.filter(({ at }) => at < start || at >= start + 90 * 60_000).slice(0, 600);
    const lines = tableOf(await csvOfStore(rows, { level: "1h" }));
    expect(lines.map(({ at }) => (Number(at) - start) / hourMs)).not.toContain(0.5);
    expect(lines.find(({ at }) => at === String(start + hourMs))?.["batteryVoltage.coverage"]).toBe("50");
    expect(Number(lines.find(({ at }) => at === String(start))?.["batteryVoltage.coverage"] ?? 0)).toBeLessThan(5);
  });

  test("a day of a clock change has 25 hours", async () => {
    const from = Date.UTC(2025, 9, 25, 22);
    const rows = Array.from({ length: 25 * 60 + 30 }, (_, minute) => ({ ...rowAt(0), at: from + minute * 60_000 }));
    const lines = tableOf(await csvOfStore(rows, { level: "1d", names: ["batteryVoltage"] }, LocalTime.of("Europe/Berlin")));
    expect(lines.map((line) => [line["time"], line["batteryVoltage.coverage"]])).toStrictEqual([
      ["2025-10-26T00:00:00.000+02:00", "100"],
      // Half an hour, and the last value for as long as one stands.
      ["2025-10-27T00:00:00.000+01:00", "2.29"],
    ]);
  });
});

describe("the file", () => {
  test("is there only when it is whole, and replaces another only if told so", async () => {
    const file = join(folder, "out.csv");
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("half");
      expect(await readdir(folder)).not.toContain("out.csv");
      yield Buffer.from(" and half");
    }
    expect(await writeExport(file, { chunks: chunks() }, { replace: false })).toStrictEqual({ bytes: 13 });
    expect(await readFile(file, "utf8")).toBe("half and half");
    await expect(writeExport(file, { chunks: chunks() }, { replace: false })).rejects.toThrow("expected no file there");
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("half");
      await Promise.reject(new Error("the reader failed"));
    }
    await expect(writeExport(file, { chunks: failing() }, { replace: true })).rejects.toThrow("the reader failed");
    expect(await readFile(file, "utf8")).toBe("half and half");
    expect(await readdir(folder)).toStrictEqual(["out.csv"]);
    await expect(writeExport(join(folder, "none", "x"), { chunks: chunks() }, { replace: true })).rejects.toThrow("could not be written");
  });

  test("says its format by its ending", () => {
    const files = ["a.csv", "b/c.JSONL", "d.ndjson", "e.parquet", "f.xlsx", "csv"];
    expect(files.map(formatOfFile)).toStrictEqual(["csv", "jsonl", "jsonl", "parquet", undefined, undefined]);
  });
});
