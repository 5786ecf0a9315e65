import { copyFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HistoryRow } from "../model/history.ts";
import { silentLogger } from "../model/logger.ts";
import { hourOf } from "./keys.ts";
import { StoreReader } from "./reader.ts";
import { rescueName, type RescueState } from "./rescue.ts";
import { HistoryWriter } from "./writer.ts";

const start = Date.UTC(2026, 5, 1);
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const end = start + 8 * dayMs;
const stepMs = 30_000;
const pageBytes = 4_096;
const { signal } = new AbortController();

let root: string;
let whole: string;
let expected: readonly HistoryRow[];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "sonkrag-rescue-"));
  whole = join(root, "whole");
  let now = start;
  const writer = await HistoryWriter.open({ folder: whole, logger: silentLogger, now: () => now });
  for (; now < end; now += hourMs) {
    await writer.append(rowsOf(now, now + hourMs));
    await writer.tick();
    while (writer.pack());
  }
  await writer.seal();
  writer.events([{ at: start, kind: "link", key: "lost", text: "The cable was out." }]);
  await writer[Symbol.asyncDispose]();
  expected = await allRows(whole);
  expect(expected).toHaveLength((2 * (end - start)) / stepMs);
});
afterAll(() => rm(root, { recursive: true, force: true }));

function rowsOf(from: number, to: number): HistoryRow[] {
  const rows: HistoryRow[] = [];
  for (let at = from; at < to; at += stepMs) {
    const tick = at / stepMs;
    rows.push({ inverter: "one", at, command: "QPIGS", payload: `${tick}`, values: { batteryVoltage: 48 + (tick % 61) / 10 } });
    rows.push({
      inverter: "one",
      at: at + 7,
      command: "QMOD",
      payload: "B",
      values: { operatingMode: tick % 500 < 250 ? "battery" : "line" },
    });
  }
  return rows;
}

async function allRows(folder: string): Promise<HistoryRow[]> {
  await using reader = await StoreReader.open({ folder, timeZone: "UTC" });
  const rows: HistoryRow[] = [];
  for await (const part of reader.rows({ from: 0, to: Number.MAX_SAFE_INTEGER, payloads: true }, { signal })) rows.push(...part);
  return rows;
}

interface Outcome {
  readonly rows: readonly HistoryRow[];
  readonly state: RescueState | undefined;
  readonly files: readonly string[];
  readonly events: number;
}

/** Damages a copy, opens it as after a power cut, keeps an hour more, and mends to the end. */
async function opened(damage: (path: string) => Promise<void>): Promise<Outcome> {
  const folder = await mkdtemp(join(root, "copy-"));
  for (const name of ["history.db", "spare-0.json", "spare-1.json"]) await copyFile(join(whole, name), join(folder, name));
  await damage(join(folder, "history.db"));
  await writeFile(join(folder, "unclean"), "");
  let now = end;
  const open = () => HistoryWriter.open({ folder, logger: silentLogger, now: () => now });
  let writer = await open();
  // It is killed in the middle of the rescue, which goes on.
  for (let piece = 0; piece < 3; piece++) await writer.mend();
  await writer[Symbol.asyncDispose]();
  writer = await open();
  await writer.append(rowsOf(end, end + hourMs));
  now = end + hourMs;
  await writer.tick();
  while (await writer.mend());
  while (writer.pack());
  const state = writer.tables.kept(rescueName) as RescueState | undefined;
  await writer[Symbol.asyncDispose]();
  const events = await eventsIn(folder);
  const outcome = { rows: await allRows(folder), state, files: await readdir(folder), events };
  await rm(folder, { recursive: true });
  return outcome;
}

async function eventsIn(folder: string): Promise<number> {
  await using reader = await StoreReader.open({ folder, timeZone: "UTC" });
  return (await reader.events({ from: start, to: start + 1 }, { signal })).length;
}

function pagesZeroed(...pages: number[]): (path: string) => Promise<void> {
  return async (path) => {
    const bytes = await readFile(path);
    for (const page of pages) bytes.fill(0, page * pageBytes, (page + 1) * pageBytes);
    await writeFile(path, bytes);
  };
}

/** What is missing lies in hours that are told as lost; all else is as it was. */
function checkRows({ rows, state }: Outcome): number {
  const all = [...expected, ...rowsOf(end, end + hourMs)];
  const there = new Map(rows.map((row) => [`${row.command} ${row.at}`, row]));
  expect(there.size).toBe(rows.length);
  let missing = 0;
  for (const row of all) {
    const found = there.get(`${row.command} ${row.at}`);
    if (found === undefined) {
      missing++;
      const hour = hourOf(row.at);
      if (!(state?.lost.some(({ table, from, to }) => table === "segment" && from <= hour && hour <= to) ?? false))
        expect.fail(`${row.command} of ${new Date(row.at).toISOString()} is missing and not told`);
    } else if (JSON.stringify(found.values) !== JSON.stringify(row.values)) expect(found).toEqual(row);
  }
  expect(rows.length + missing).toBe(all.length);
  return missing;
}

test("a sound database after an unclean end is left as it is", async () => {
  const outcome = await opened(() => Promise.resolve());
  expect(outcome.state).toBeUndefined();
  expect(checkRows(outcome)).toBe(0);
});

test("a page of zeroes anywhere costs the hours in it at most; the damaged file stays, set aside", async () => {
  const pages = Math.floor((await readFile(join(whole, "history.db"))).length / pageBytes);
  let rescued = 0;
  for (let page = 0; page < pages; page += Math.max(1, Math.floor(pages / 10))) {
    const outcome = await opened(pagesZeroed(page));
    const missing = checkRows(outcome);
    if (outcome.state === undefined) {
      expect(missing).toBe(0);
      continue;
    }
    rescued++;
    expect(outcome.files.filter((name) => /^history\.db\.damaged-20260609T000000Z$/.test(name))).toHaveLength(1);
    expect(outcome.files.filter((name) => name.includes(".mended"))).toEqual([]);
    // A leaf holds a good dozen of hours; the page above it holds none, though it leads to all of them.
    expect(missing).toBeLessThan(expected.length / 6);
  }
  expect(rescued).toBeGreaterThan(5);
}, 240_000);

test("without its first page, cut in half, with pages of another file, or made of noise: it opens and goes on", async () => {
  const first = await opened(pagesZeroed(0));
  expect(checkRows(first)).toBe(0);
  expect(first.events).toBe(1);
  const half = await opened(async (path) => await truncate(path, Math.floor((await readFile(path)).length / 2)));
  expect(checkRows(half)).toBeLessThan(expected.length);
  const many = await opened(pagesZeroed(...Array.from({ length: 5 }, (_, index) => 3 + index * 5)));
  expect(checkRows(many)).toBeLessThan(expected.length);
  const noise = await opened(async (path) => await writeFile(path, "not a database ".repeat(2_000)));
  expect(checkRows(noise)).toBe(expected.length);
}, 240_000);
