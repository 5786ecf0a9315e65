import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { HistoryRow } from "../../../model/history.ts";
import { historyOf } from "../../../../test/support/history-in-memory.ts";
import { LocalTime } from "../../../model/local-time.ts";
import { SegmentWriter } from "../../../store/segment-writer.ts";
import { startExport } from "../export/start-export.ts";
import { importFile, type ImportOptions } from "./import-file.ts";

const { signal } = new AbortController();
const base: ImportOptions = { inverter: () => "garage", local: LocalTime.of("Africa/Johannesburg"), recover: false, signal };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-import-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const volts = (value: number): string => value.toFixed(1).padStart(5, "0");
const payloadOf = (number: number): string =>
  `${volts(230 + (number % 9))} 49.9 ${volts(230 + (number % 9))} 49.9 0210 ${String(100 + (number % 800)).padStart(4, "0")} 004 418 52.00 000 100 0048 0000 000.0 00.00 00001 00010101 00 00 00000 110`;

/** UTC+2 all year. */
const zoneMs = 2 * 3_600_000;
const stamp = (at: number): string => `${new Date(at + zoneMs).toISOString().replace("T", " ").slice(0, -1)}000`;

const answerReports = 14;
const queueSlots = 63;

/**
 * A log as the kernel's queue makes it: a logger that asks every 30 s and, from `from` on, another program that asks as
 * often. Every answer comes to both; the queue holds 63 reports and drops the newest; the logger reads up to a line's end.
 */
function log(
  lines: number,
  from: number,
  /** What is answered to a third program, by the line after `from`. */
  verdicts: Readonly<Record<number, "NAK" | "ACK">> = {},
): { readonly text: string; readonly good: number } {
  let queue: string[] = [];
  const arrive = (payload: string, reports = answerReports): void => {
    const text = `(${payload}##\r`.padEnd(reports * 8, "\0");
    for (let report = 0; report < reports && queue.length < queueSlots; report++) queue.push(text.slice(report * 8, report * 8 + 8));
  };
  let at = Date.UTC(2026, 0, 5);
  let text = "Maak nog korrekte opskrifte hier\n";
  let good = 0;
  for (let line = 0; line < lines; line++) {
    const isWaiting = queue.length > 0;
    at += isWaiting ? 30_037 : 30_540;
    arrive(payloadOf(2 * line));
    let taken = "";
    while (queue.length > 0 && !taken.includes("\r")) taken += queue.shift() ?? "";
    const payload = taken.slice(1, taken.indexOf("\r")).replaceAll("##", "");
    if (!/\(|NAK|ACK/.test(payload)) good++;
    text += `${stamp(at)},${payload}\n`;
    if (line >= from) arrive(payloadOf(2 * line + 1));
    const verdict = verdicts[line - from];
    if (verdict !== undefined) arrive(verdict, 1);
  }
  queue = [];
  return { text, good };
}

async function file(text: string | Uint8Array, name = "Axpert2026-01-05.log"): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

describe("a log of two programs on one port", () => {
  test("whole answers are taken, run-together ones are told apart, and what came too late is flagged from the first line on", async () => {
    const { text, good } = log(400, 100);
    const rows: HistoryRow[] = [];
    const summary = await importFile(await file(text), {
      ...base,
      rejectsFolder: join(folder, "rejects"),
      ingest: (given) => {
        rows.push(...given);
        return { added: given.length, repeated: 0, conflicting: 0 };
      },
    });
    expect(summary).toMatchObject({ lines: 401, headers: 1, accepted: good, rejected: 400 - good, added: good, recovered: 0 });
    expect(Object.keys(summary.byClass)).toEqual(["E7"]);
    // The answer to line 100's other question waits before line 101 is asked for.
    const times = rows.map(({ at }) => at);
    const firstStale = rows.findIndex(({ flags }) => flags?.includes("stale"));
    expect(firstStale).toBe(101);
    expect(rows.slice(firstStale).every(({ flags }) => flags?.includes("stale"))).toBe(true);
    expect(summary.stale).toBe(good - 101);
    expect(times[0]).toBe(Date.UTC(2026, 0, 5) + 30_540);
    const rejects = await readFile(summary.rejects ?? "", "latin1");
    const lines = text.split("\n");
    for (const line of rejects.trimEnd().split("\n")) {
      const [number, letter, ...rest] = line.split("\t");
      expect(letter).toBe("E7");
      expect(rest.join("\t")).toBe(lines[Number(number) - 1]);
    }
    expect(rejects.trimEnd().split("\n")).toHaveLength(400 - good);
  });

  test("a log as long as a real one, with a NAK and an ACK that shift the reports, has its classes as often as that one", async () => {
    const { text, good } = log(9_261, 915, { 838: "NAK", 4_074: "ACK" });
    const summary = await importFile(await file(text), base);
    expect(summary).toMatchObject({ lines: 9_262, headers: 1, accepted: 6_091, rejected: 3_170, stale: 6_091 - 916 });
    expect(good).toBe(6_091);
    expect(summary.byClass).toEqual({ C: 1, D: 1, E1: 647, E2: 852, E5: 854, E6: 647, E7: 167, F: 1 });
    expect(await importFile(await file(text), { ...base, recover: true })).toMatchObject({ recovered: 3_168, rejected: 2 });
  });

  test("recovering takes the last answer of a run-together line, flagged as such", async () => {
    const { text } = log(400, 100);
    const path = await file(text);
    const strict = await importFile(path, base);
    const recovered = await importFile(path, { ...base, recover: true });
    expect(recovered).toMatchObject({ accepted: strict.accepted + strict.rejected, rejected: 0, recovered: strict.rejected });
  });

  test("a log that begins in the middle of it is old from its first line on; one with a gap and no other program is not", async () => {
    expect(await importFile(await file(log(300, 0).text), base)).toMatchObject({ stale: expect.any(Number) as number });
    const whole = log(300, 0).text.split("\n");
    const middle = [whole[0], ...whole.slice(30)].join("\n");
    const summary = await importFile(await file(middle), base);
    expect(summary.stale).toBe(summary.accepted);
    const alone = log(300, 1_000).text.split("\n");
    expect(await importFile(await file([...alone.slice(0, 100), ...alone.slice(200)].join("\n")), base)).toMatchObject({
      stale: 0,
      rejected: 0,
    });
  });
});

const at = "2026-01-05 12:00:00.000000,";
const full = payloadOf(7);
const reports = (count: number): string => payloadOf(3).slice(0, count * 8 - 1);

test.each([
  ["C", "NAK"],
  ["D", "ACK"],
  ["E1", `${reports(1)}(${full}`],
  ["E2", `${reports(2)}(${full}`],
  ["E5", `${reports(5)}(${full}`],
  ["E6", `${reports(6)}(${full}`],
  ["F", `${reports(1)}(${reports(1)}(${full}`],
  ["G", `${reports(13)}${"\0".repeat(8)}(${full}`],
  ["H", reports(13)],
  ["I", `${reports(2)}(${reports(13)}`],
  ["J1", `${reports(2)}(${reports(12)}${"\0".repeat(8)}(NAK`],
  ["J2", `${reports(5)}(${reports(13)}(NAK`],
  ["X", "232.4"],
  ["X", `${full} 1`],
  ["X", ` ${full}`],
  ["X", full.replace("49.9", "49,9")],
])("class %s", async (letter, payload) => {
  const summary = await importFile(await file(`header\n${at}${payload}\n${at.replace("00:00", "00:30")}${full}`), base);
  expect(summary).toMatchObject({ lines: 3, headers: 1, accepted: 1, rejected: 1, byClass: { [letter]: 1 } });
});

test.each([
  "230.5 50.0 230.5 50.0 0460 0414 009 380 26.40 005 085 0620 0004 065.2 26.38 00000 00010110",
  "230.0 49.9 230.0 49.9 0805 0751 020 448 29.00 000 100 0037 02.3 271.1 00.00 00007 00010000 00 00 00647 011 0 00 0000",
  "247.1 49.9 229.6 49.9 01012 00969 009 420 53.40 011 052 0052 03.2 268.1 00.00 00000 00010110 00 00 00879 010 0 00 0000",
  "231.0 50.0 230.0 50.0 1200 1100 014 405 53.10 010 060 0041 05.5 310.0 00.00 00000 00010110 00 00 01705 010 0 00 0000 04.8",
])("other models' lines are whole as well: %s", async (payload) => {
  expect(await importFile(await file(`${at}${payload}`), base)).toMatchObject({ accepted: 1, rejected: 0, headers: 0 });
});

test("an hour that comes twice is told apart by the order of the lines; the seconds' fraction may be missing; gzip is read", async () => {
  const rows: HistoryRow[] = [];
  const minute = (time: string): string => `2026-10-25 ${time},${full}\n`;
  const text = ["02:30:00", "02:59:30", "02:00:00", "02:30:00", "03:00:00"].map(minute).join("");
  await importFile(await file(gzipSync(text), "Axpert2026-10-25.log.gz"), {
    ...base,
    local: LocalTime.of("Europe/Berlin"),
    ingest: (given) => {
      rows.push(...given);
      return { added: given.length, repeated: 0, conflicting: 0 };
    },
  });
  expect(rows.map((row) => new Date(row.at).toISOString().slice(11, 19))).toEqual([
    "00:30:00",
    "00:59:30",
    "01:00:00",
    "01:30:00",
    "02:00:00",
  ]);
});

test("what is no log is refused with what was expected", async () => {
  await expect(importFile(join(folder, "none"), base)).rejects.toThrow(/expected a log file, got none there/);
  await expect(importFile(folder, base)).rejects.toThrow(/expected a log file, got a folder/);
  await expect(importFile(await file(""), base)).rejects.toThrow(/got an empty one/);
  await expect(importFile(await file("time,power\n1,2\n"), base)).rejects.toThrow(/expected a log with lines such as/);
});

test("imported twice, the second time adds nothing", async () => {
  const path = await file(log(400, 100).text);
  await using writer = await SegmentWriter.open({ folder, now: () => Date.UTC(2026, 5, 1) });
  const ingest = (rows: readonly HistoryRow[]) => writer.ingest(rows);
  const first = await importFile(path, { ...base, ingest });
  expect(first).toMatchObject({ added: first.accepted, repeated: 0, conflicting: 0 });
  expect(await importFile(path, { ...base, ingest })).toMatchObject({ added: 0, repeated: first.accepted, conflicting: 0 });
});

const real = join(import.meta.dirname, "../../../../../shared/data/Axpert2020-08-23.log");
const hasReal = await readFile(real).then(
  () => true,
  () => false,
);

test.skipIf(!hasReal)("the real log gives exactly the documented counts", async () => {
  const rows: HistoryRow[] = [];
  const ingest = (given: readonly HistoryRow[]) => {
    rows.push(...given);
    return { added: given.length, repeated: 0, conflicting: 0 };
  };
  const summary = await importFile(real, { ...base, ingest });
  expect(summary).toMatchObject({ lines: 9_262, headers: 1, accepted: 6_091, rejected: 3_170, stale: 6_091 - 915 });
  expect(summary.byClass).toEqual({ C: 1, D: 1, E1: 647, E2: 852, E5: 854, E6: 647, E7: 167, F: 1 });
  const sum = (name: string): number => rows.reduce((all, { values }) => all + Number(values[name]), 0);
  expect(sum("loadActivePower")).toBe(955_854);
  expect(sum("loadApparentPower")).toBe(1_489_328);
  expect(Math.round(sum("batteryVoltage") * 100)).toBe(31_676_580);
  expect(await importFile(real, { ...base, recover: true })).toMatchObject({ recovered: 3_168, rejected: 2 });
});

describe("an export", () => {
  const row = (inverter: string): HistoryRow => ({
    inverter,
    at: Date.UTC(2026, 0, 5),
    command: "QPIGS",
    payload: "1 2",
    values: { batteryVoltage: 52.1, warnings: ["fan"] },
    origins: { batteryVoltage: "derived" },
    flags: ["stale"],
  });
  async function exportOf(given: HistoryRow): Promise<string> {
    const options = { local: base.local, now: given.at + 1_000, signal };
    const { chunks } = await startExport(historyOf([given]), { level: "raw", format: "jsonl", payloads: true }, options);
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    return await file(gzipSync(Buffer.concat(parts)), "rows.jsonl.gz");
  }
  async function taken(path: string, over: Partial<ImportOptions>): Promise<HistoryRow[]> {
    const rows: HistoryRow[] = [];
    const ingest: ImportOptions["ingest"] = (given) => {
      rows.push(...given);
      return { added: given.length, repeated: 0, conflicting: 0 };
    };
    expect(await importFile(path, { ...base, ingest, ...over })).toMatchObject({ lines: 1, accepted: 1, rejected: 0, stale: 1, added: 1 });
    return rows;
  }

  test("gives its rows back as they were, for its own inverter or the one that is named", async () => {
    const path = await exportOf(row("shed"));
    expect(await taken(path, { inverter: (_file, own) => own ?? "" })).toStrictEqual([row("shed")]);
    expect(await taken(path, { inverter: () => "garage" })).toStrictEqual([row("garage")]);
  });

  test("of the simulated inverter does not become another's", async () => {
    const path = await exportOf(row("simulated"));
    await expect(importFile(path, base)).rejects.toThrow("got one of the simulated inverter");
    expect(await taken(path, { inverter: () => "simulated" })).toStrictEqual([row("simulated")]);
  });
});
