import { mkdir, mkdtemp, open, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { eventually, payloads, readingOf, realInverter, recordingLogger, simulatedInverter } from "../../test/support/readings.ts";
import { ConfigError } from "../model/errors.ts";
import type { OpenForAppend } from "./day-folder.ts";
import { TextLog } from "./text-log.ts";
import type { TextLogOptions } from "./text-log.ts";

const start = Date.parse("2020-08-23T15:14:33.000Z");
const header = `date time,${Array.from({ length: 21 }, (_, index) => `c${index}[V]`).join(" ")}\n`;
const lineAt = (local: string): string => `${local},${payloads.QPIGS}\n`;

let folder: string;
let logger: ReturnType<typeof recordingLogger>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-log-"));
  logger = recordingLogger();
});
afterEach(() => rm(folder, { recursive: true }));

const openLog = (options: Partial<TextLogOptions> = {}): Promise<TextLog> =>
  TextLog.open({
    folder,
    timeZone: "Africa/Johannesburg",
    columnsOf: (count) => Array.from({ length: count }, (_, index) => ({ name: `c${index}`, unit: "V" })),
    logger,
    now: () => start,
    retryMs: 5,
    intervalMs: 0,
    ...options,
  });
const fileText = (name: string): Promise<string> => readFile(join(folder, name), "utf8");
const timesIn = async (name: string): Promise<string[]> =>
  (await fileText(name))
    .split("\n")
    .slice(1, -1)
    .map((line) => line.slice(11, 19));

/** Writes a reading at each of the given UTC times in a log of its own. */
async function write(times: readonly (string | number)[], options: Partial<TextLogOptions> = {}): Promise<void> {
  await using log = await openLog(options);
  for (const time of times) log.reading(readingOf(typeof time === "string" ? Date.parse(time) : time), realInverter);
}

test("the first reading of a day starts a file with a header; old readers find their columns", async () => {
  await write([start + 243, start + 1_243]);
  const text = await fileText("Axpert2020-08-23.log");
  expect(text).toBe(header + lineAt("2020-08-23 17:14:33.243000") + lineAt("2020-08-23 17:14:34.243000"));
  // As the old readers do it: skip one row, split at spaces.
  const rows = text.trimEnd().split("\n").slice(1);
  for (const row of rows) expect(row.split(" ")).toHaveLength((text.split("\n")[0] ?? "").split(" ").length);
});

test("a restart within the day appends, and keeps the older script's own file", async () => {
  await write([start]);
  await write([start + 1_000]);
  expect(await timesIn("Axpert2020-08-23.log")).toEqual(["17:14:33", "17:14:34"]);

  await writeFile(join(folder, "Axpert2020-08-24.log"), "Maak nog korrekte opskrifte hier\n");
  await write(["2020-08-24T10:00:00Z"]);
  expect(await fileText("Axpert2020-08-24.log")).toBe(`Maak nog korrekte opskrifte hier\n${lineAt("2020-08-24 12:00:00.000000")}`);
});

test("the interval counts from start to start and does not drift", async () => {
  const polls = Array.from({ length: 60 }, (_, index) => start + index * 7_000);
  await write(polls, { intervalMs: 30_000 });
  // Each line is the first poll from a second before its full half minute on.
  const seconds = (await timesIn("Axpert2020-08-23.log")).map((time) => (Date.parse(`2020-08-23T${time}+02:00`) - start) / 1_000);
  expect(seconds).toEqual([0, 35, 63, 91, 119, 154, 182, 210, 245, 273, 301, 329, 364, 392]);
});

test("a poll that comes a little early leaves no gap of two intervals", async () => {
  await write(
    [0, 29.96, 60.04, 89.97, 120].map((second) => start + second * 1_000),
    { intervalMs: 30_000 },
  );
  expect(await timesIn("Axpert2020-08-23.log")).toHaveLength(5);
});

test("a reading is written once, however often it is handed in", async () => {
  await write([start, start, start + 1_000, start, start + 1_000]);
  expect(await timesIn("Axpert2020-08-23.log")).toEqual(["17:14:33", "17:14:34"]);
});

test("other commands are not written", async () => {
  await using log = await openLog();
  log.reading(readingOf(start, { command: "QPIRI", payload: payloads.QPIRI }), realInverter);
  await log[Symbol.asyncDispose]();
  expect(await readdir(folder)).toEqual([]);
});

test.each([
  [
    "year end",
    "Africa/Johannesburg",
    ["2020-12-31T21:59:59Z", "2020-12-31T22:00:00Z"],
    { "Axpert2020-12-31.log": ["23:59:59"], "Axpert2021-01-01.log": ["00:00:00"] },
  ],
  // 23 hours; the local clock jumps from 02:00 to 03:00.
  [
    "spring",
    "Europe/Berlin",
    [
      "2026-03-28T22:59:59Z",
      "2026-03-28T23:00:00Z",
      "2026-03-29T00:59:59Z",
      "2026-03-29T01:00:00Z",
      "2026-03-29T21:59:59Z",
      "2026-03-29T22:00:00Z",
    ],
    {
      "Axpert2026-03-28.log": ["23:59:59"],
      "Axpert2026-03-29.log": ["00:00:00", "01:59:59", "03:00:00", "23:59:59"],
      "Axpert2026-03-30.log": ["00:00:00"],
    },
  ],
  // 25 hours; 02:30 happens twice.
  [
    "autumn",
    "Europe/Berlin",
    ["2026-10-24T22:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z"],
    {
      "Axpert2026-10-25.log": ["00:00:00", "02:30:00", "02:30:00", "23:59:59"],
      "Axpert2026-10-26.log": ["00:00:00"],
    },
  ],
])("a day begins at local midnight: %s", async (_name, timeZone, times, expected: Record<string, readonly string[] | undefined>) => {
  await write(times, { timeZone });
  expect((await readdir(folder)).toSorted()).toEqual(Object.keys(expected));
  for (const [name, lines] of Object.entries(expected)) expect(await timesIn(name)).toEqual(lines);
});

test("a clock that goes back writes into the day it says, at once", async () => {
  await write(["2020-08-24T10:00:00Z", "2020-08-23T10:00:00Z", "2020-08-23T10:00:30Z", "2020-08-24T10:00:01Z"], { intervalMs: 30_000 });
  expect(await timesIn("Axpert2020-08-23.log")).toEqual(["12:00:00", "12:00:30"]);
  expect(await timesIn("Axpert2020-08-24.log")).toEqual(["12:00:00", "12:00:01"]);
});

test("what is simulated and what is real never share a file", async () => {
  await write([start]);
  {
    await using log = await openLog();
    log.reading(readingOf(start + 1_000, { inverter: "sim-1" }), simulatedInverter);
  }
  await write([start + 2_000]);
  expect(await timesIn("Axpert2020-08-23.log")).toEqual(["17:14:33", "17:14:35"]);
  expect(await timesIn("Axpert2020-08-23-2.log")).toEqual(["17:14:34"]);
  expect(await fileText("Axpert2020-08-23-2.log")).toMatch(/^date time\(simulated\),/);
});

test("each further inverter has a folder of its own", async () => {
  await using log = await openLog();
  for (const id of ["axpert-1", "axpert-2"]) log.reading(readingOf(start, { inverter: id }), { ...realInverter, id });
  await log[Symbol.asyncDispose]();
  expect((await readdir(folder)).toSorted()).toEqual(["Axpert2020-08-23.log", "axpert-2"]);
  expect(await timesIn("axpert-2/Axpert2020-08-23.log")).toHaveLength(1);
});

test("the main inverter has the folder itself, whichever answers first", async () => {
  await using log = await openLog({ mainInverter: () => "axpert-1" });
  const add = (id: string, at: number): void => log.reading(readingOf(at, { inverter: id }), { ...realInverter, id });
  add("axpert-2", start);
  add("axpert-1", start + 1_000);
  await log[Symbol.asyncDispose]();
  expect(await timesIn("Axpert2020-08-23.log")).toEqual(["17:14:34"]);
  expect(await timesIn("axpert-2/Axpert2020-08-23.log")).toEqual(["17:14:33"]);
});

test("csv: a metric that is new starts a second file with the earlier columns kept; a missing one is an empty cell", async () => {
  await using log = await openLog({ format: "csv" });
  const add = (second: number, values: Record<string, number>): void =>
    log.reading(readingOf(start + second * 1_000, { values, derived: {} }), realInverter);
  add(0, { gridVoltage: 230, batteryVoltage: 52.1 });
  add(1, { batteryVoltage: 52.2 });
  add(2, { gridVoltage: 231, batteryVoltage: 52.3, pv1Power: 900 });
  add(3, { gridVoltage: 232, batteryVoltage: 52.4 });
  await log[Symbol.asyncDispose]();
  expect(await fileText("Axpert2020-08-23.csv")).toBe(
    "time,gridVoltage[V],batteryVoltage[V],inverter\n" +
      "2020-08-23T17:14:33.000+02:00,230,52.1,axpert-1\n" +
      "2020-08-23T17:14:34.000+02:00,,52.2,axpert-1\n",
  );
  expect(await fileText("Axpert2020-08-23-2.csv")).toBe(
    "time,gridVoltage[V],batteryVoltage[V],pv1Power[W],inverter\n" +
      "2020-08-23T17:14:35.000+02:00,231,52.3,900,axpert-1\n" +
      "2020-08-23T17:14:36.000+02:00,232,52.4,,axpert-1\n",
  );
  // A restart goes on in the newest file that has room for all metrics.
  await using again = await openLog({ format: "csv" });
  again.reading(readingOf(start + 4_000, { values: { pv1Power: 901 }, derived: {} }), realInverter);
  await again[Symbol.asyncDispose]();
  expect(await fileText("Axpert2020-08-23-2.csv")).toMatch(/,,901,axpert-1\n$/);
});

test("a torn last line is mended at start, before anything is written", async () => {
  const whole = header + lineAt("2020-08-23 17:14:33.000000");
  await writeFile(join(folder, "Axpert2020-08-23.log"), `${whole}2020-08-23 17:14:34.00`);
  await using log = await openLog();
  expect(await fileText("Axpert2020-08-23.log")).toBe(whole);
  expect(await fileText("Axpert2020-08-23.log.torn")).toBe("2020-08-23 17:14:34.00\n");
  expect(logger.texts("warn")).toEqual([expect.stringMatching(/Axpert2020-08-23\.log ended in a torn line; its 22 bytes were moved to /)]);
  log.reading(readingOf(start + 60_000), realInverter);
  await log[Symbol.asyncDispose]();
  expect(await fileText("Axpert2020-08-23.log")).toBe(whole + lineAt("2020-08-23 17:15:33.000000"));
});

test("a cut of long ago is mended too, but not another program's old file", async () => {
  await writeFile(join(folder, "Axpert2020-08-20.log"), `${header}2020-08-20 17:`);
  await write([]);
  expect(await fileText("Axpert2020-08-20.log")).toBe(header);
  await writeFile(join(folder, "Axpert2020-08-21.log"), "Maak nog korrekte opskrifte hier\n2020-08-21 17:");
  await write([]);
  expect(await fileText("Axpert2020-08-21.log")).toMatch(/17:$/);
});

test("past days are compressed at start and after midnight; a late line does not reopen them", async () => {
  let now = start;
  await writeFile(join(folder, "Axpert2020-08-20.log"), header + lineAt("2020-08-20 01:00:00.000000"));
  await writeFile(join(folder, "Axpert2020-08-21.log"), "Maak nog korrekte opskrifte hier\n");
  await using log = await openLog({ compress: true, now: () => now });
  await eventually("the old day is compressed", async () => (await readdir(folder)).includes("Axpert2020-08-20.log.gz"));
  log.reading(readingOf(start), realInverter);
  now += 86_400_000;
  log.reading(readingOf(now), realInverter);
  await eventually(
    "yesterday is compressed",
    async () => (await readdir(folder)).includes("Axpert2020-08-23.log.gz") && !(await readdir(folder)).includes("Axpert2020-08-23.log"),
  );
  log.reading(readingOf(start + 1_000), realInverter);
  await log[Symbol.asyncDispose]();
  expect((await readdir(folder)).toSorted()).toEqual([
    "Axpert2020-08-20.log.gz",
    "Axpert2020-08-21.log",
    "Axpert2020-08-23-2.log",
    "Axpert2020-08-23.log.gz",
    "Axpert2020-08-24.log",
  ]);
  const unzipped = gunzipSync(await readFile(join(folder, "Axpert2020-08-23.log.gz"))).toString();
  expect(unzipped).toBe(header + lineAt("2020-08-23 17:14:33.000000"));
});

test("a compression that was cut off after its file was complete is finished, not repeated", async () => {
  const content = header + lineAt("2020-08-20 01:00:00.000000");
  await writeFile(join(folder, "Axpert2020-08-20.log"), content);
  {
    await using log = await openLog({ compress: true });
    await eventually("compressed", async () => (await readdir(folder)).join() === "Axpert2020-08-20.log.gz");
    expect(log.health.trouble).toBeUndefined();
  }
  await writeFile(join(folder, "Axpert2020-08-20.log"), content);
  await using log = await openLog({ compress: true });
  await eventually("the doubled file is gone", async () => (await readdir(folder)).join() === "Axpert2020-08-20.log.gz");
  await log[Symbol.asyncDispose]();
  await writeFile(join(folder, "Axpert2020-08-20.log"), `${content}something else\n`);
  await using other = await openLog({ compress: true });
  await eventually("the difference is told", () => logger.texts("warn").length > 0);
  await other[Symbol.asyncDispose]();
  expect(logger.texts("warn")[0]).toMatch(/exists already with other lines/);
  expect((await readdir(folder)).toSorted()).toEqual(["Axpert2020-08-20.log", "Axpert2020-08-20.log.gz"]);
});

test("a full disk is told once, lines wait, and come in order when there is room again", async () => {
  const path = join(folder, "Axpert2020-08-23.log");
  await symlink("/dev/full", path);
  await using log = await openLog();
  for (let second = 0; second < 5; second++) log.reading(readingOf(start + second * 1_000), realInverter);
  await eventually("the failure is noticed", () => log.health.trouble !== undefined);
  log.reading(readingOf(start + 5_000), realInverter);
  expect(log.health).toMatchObject({ linesWritten: 0, linesDropped: 0, trouble: expect.stringMatching(/the disk is full/) });
  await rm(path);
  await eventually("the lines are written", () => log.health.linesWritten === 6);
  expect(await timesIn("Axpert2020-08-23.log")).toEqual(["17:14:33", "17:14:34", "17:14:35", "17:14:36", "17:14:37", "17:14:38"]);
  expect(logger.texts("error")).toHaveLength(1);
  expect(logger.texts("info")).toContain("The text log can be written again; no line was lost");
});

test("the buffer is bounded; what was lost is counted and told", async () => {
  const path = join(folder, "Axpert2020-08-23.log");
  await symlink("/dev/full", path);
  await using log = await openLog({ bufferLines: 10, retryMs: 50 });
  for (let second = 0; second < 25; second++) log.reading(readingOf(start + second * 1_000), realInverter);
  await eventually("the failure is noticed", () => log.health.trouble !== undefined);
  await rm(path);
  await eventually("the rest is written", () => log.health.linesWaiting === 0);
  const { linesWritten, linesDropped } = log.health;
  expect(linesWritten + linesDropped).toBe(25);
  expect(linesWritten).toBeLessThanOrEqual(11);
  expect((await timesIn("Axpert2020-08-23.log")).at(-1)).toBe("17:14:57");
  expect(logger.texts("info").at(-1)).toBe(`The text log can be written again; ${linesDropped} lines were lost`);
});

test("a folder that cannot be made is told at start and made when it can be", async () => {
  const place = join(folder, "sub");
  await writeFile(place, "in the way");
  await using log = await openLog({ folder: join(place, "logs") });
  log.reading(readingOf(start), realInverter);
  expect(logger.texts("error")).toEqual([expect.stringMatching(/a part of the path is not a folder/)]);
  await rm(place);
  await eventually("the line is written", () => log.health.linesWritten === 1);
  await rm(place, { recursive: true });
  log.reading(readingOf(start + 1_000), realInverter);
  await eventually("the folder is made again", () => log.health.linesWritten === 2);
  expect(await timesIn("sub/logs/Axpert2020-08-23.log")).toEqual(["17:14:34"]);
});

test("a file that somebody deletes or replaces is started anew, with its header", async () => {
  await using log = await openLog();
  const path = join(folder, "Axpert2020-08-23.log");
  log.reading(readingOf(start), realInverter);
  await eventually("written", () => log.health.linesWritten === 1);
  await rm(path);
  log.reading(readingOf(start + 1_000), realInverter);
  await eventually("written", () => log.health.linesWritten === 2);
  expect(await fileText("Axpert2020-08-23.log")).toBe(header + lineAt("2020-08-23 17:14:34.000000"));
});

/** A disk on which every write fails at first, each in another way. */
function failingDisk(failures: readonly ("short" | "sync" | "sync, and no way back")[]): OpenForAppend {
  const pending = [...failures];
  return async (path) => {
    const handle = await open(path, "a");
    const failure = pending.shift();
    const failing = async (): Promise<never> => Promise.reject(Object.assign(new Error("EIO: i/o error"), { code: "EIO" }));
    if (failure === "short") {
      const write = handle.write.bind(handle) as (buffer: Buffer, offset: number, length: number) => ReturnType<typeof handle.write>;
      handle.write = ((buffer: Buffer) => write(buffer, 0, buffer.length >> 1)) as unknown as typeof handle.write;
    } else if (failure !== undefined) handle.datasync = failing;
    if (failure === "sync, and no way back") handle.truncate = failing;
    return handle;
  };
}

test.each([
  ["a line is written only in part", ["short", "short"]],
  ["the disk does not take the line for certain", ["sync", "sync"]],
  ["what is in the file after a failure is unknown", ["sync, and no way back", "sync, and no way back"]],
  ["everything at once", ["sync", "short", "sync, and no way back", "short"]],
] as const)("nothing is doubled, joined or lost when %s", async (_name, failures) => {
  await write([start]);
  await using log = await openLog({ openForAppend: failingDisk(failures) });
  for (let second = 1; second < 4; second++) log.reading(readingOf(start + second * 1_000), realInverter);
  await eventually("all lines are written", () => log.health.linesWritten === 3);
  await log[Symbol.asyncDispose]();
  expect(await fileText("Axpert2020-08-23.log")).toBe(
    header + [33, 34, 35, 36].map((second) => lineAt(`2020-08-23 17:14:${second}.000000`)).join(""),
  );
});

test("closing does not wait for a disk that hangs, and says what is lost", async () => {
  const log = await openLog({ openForAppend: () => new Promise(() => undefined) });
  log.reading(readingOf(start), realInverter);
  log.reading(readingOf(start + 86_400_000), realInverter);
  const before = performance.now();
  await log[Symbol.asyncDispose]();
  expect(performance.now() - before).toBeLessThan(1_500);
  expect(logger.texts("error").at(-1)).toBe("2 lines of the text log could not be written before the end");
});

test("a disk that does not answer for long is told once", async () => {
  const clock = vi.spyOn(performance, "now");
  try {
    const log = await openLog({ openForAppend: () => new Promise(() => undefined) });
    log.reading(readingOf(start), realInverter);
    log.reading(readingOf(start + 1), realInverter);
    expect(log.health.trouble).toBeUndefined();
    clock.mockReturnValue(performance.now() + 31_000);
    log.reading(readingOf(start + 2), realInverter);
    log.reading(readingOf(start + 3), realInverter);
    expect(logger.texts("error")).toEqual([expect.stringMatching(/has not answered for half a minute/)]);
  } finally {
    clock.mockRestore();
  }
});

test("closing writes what waits, even while it pauses after a failure", async () => {
  const path = join(folder, "Axpert2020-08-23.log");
  await mkdir(path);
  const log = await openLog({ retryMs: 60_000 });
  log.reading(readingOf(start), realInverter);
  await eventually("the failure is noticed", () => log.health.trouble !== undefined);
  await rm(path, { recursive: true });
  await log[Symbol.asyncDispose]();
  expect(await timesIn("Axpert2020-08-23.log")).toEqual(["17:14:33"]);
});

test("the caller is not held up: ten thousand readings are taken in well under the time a disk needs", async () => {
  await using log = await openLog({ bufferLines: 20_000 });
  const before = performance.now();
  for (let index = 0; index < 10_000; index++) log.reading(readingOf(start + index), realInverter);
  const perReadingMs = (performance.now() - before) / 10_000;
  expect(perReadingMs).toBeLessThan(0.2);
  await eventually("all are written", () => log.health.linesWritten === 10_000);
});

test("a wrong time zone is a mistake of the configuration", async () => {
  await expect(openLog({ timeZone: "Mars/Olympus" })).rejects.toThrow(ConfigError);
});
