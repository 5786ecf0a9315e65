/**
 * Years of readings through history's real writer, and how fast questions about them are answered.
 *   node bench/history.mjs [--years 1,10] [--folder DIR] [--reuse]
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { built, simulatedUnit } from "./simulated-unit.mjs";

const dayMs = 86_400_000;
const end = Date.UTC(2026, 0, 1);
const { values: given } = parseArgs({
  options: {
    years: { type: "string", default: "1" },
    folder: { type: "string" },
    reuse: { type: "boolean", default: false },
  },
});

const { silentLogger } = await built("model/logger");
const { HistoryWriter } = await built("store/writer");
const { StoreReader } = await built("store/reader");

/** @typedef {import("../src/model/history.ts").HistoryRow} HistoryRow */

/** What is polled, by seconds between two answers: the usual cadence. */
const cadence = { 5: ["QPIGS", "QPIGS2", "QMOD"], 15: ["QPIWS", "QPGS0"], 60: ["QPIRI", "QFLAG", "QDI", "QBEQI", "QT"] };
/** Days that differ in weather; years are made of them in turn. */
const templates = 6;
/** Answers as they came are kept for so long. */
const framesDays = 400;

/**
 * A day of everything that is polled, its times from midnight.
 * @param {number} day
 * @returns {HistoryRow[]}
 */
function dayOfRows(day) {
  const start = Date.UTC(2025, (day * 2) % 12, 10);
  const ask = simulatedUnit({ seed: day + 1, start });
  /** @type {HistoryRow[]} */
  const rows = [];
  for (let second = 0; second < 86_400; second += 5)
    for (const [every, commands] of Object.entries(cadence)) {
      if (second % Number(every) !== 0) continue;
      for (const [place, command] of commands.entries()) {
        const at = second * 1_000 + place * 300 + ((second * 7_919) % 23);
        const row = ask(command, start + at);
        if (row !== undefined) rows.push({ ...row, at });
      }
    }
  return rows.toSorted((a, b) => a.at - b.at);
}

/** @param {string} folder */
const sizeMb = (folder) => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0) / 1e6;

/**
 * @param {() => Promise<unknown>} ask
 * @returns {Promise<{ median: number, slowest: number }>} milliseconds of 21 turns
 */
async function timed(ask) {
  const times = [];
  for (let turn = 0; turn < 21; turn++) {
    const began = performance.now();
    await ask();
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  return { median: times[10] ?? 0, slowest: times[20] ?? 0 };
}

const days = Array.from({ length: templates }, (_, day) => dayOfRows(day));
const folder = given.folder ?? mkdtempSync(join(tmpdir(), "sonkrag-years-"));
const longest = Math.max(...given.years.split(",").map(Number));
let now = end - longest * 365 * dayMs;

/** @param {number} from @param {number} to */
async function write(from, to) {
  const began = performance.now();
  let count = 0;
  const writer = await HistoryWriter.open({ folder, logger: silentLogger, now: () => now });
  for (let midnight = from; midnight < to; midnight += dayMs) {
    const keepsFrames = end - midnight <= framesDays * dayMs;
    const template = days[Math.floor(midnight / dayMs) % templates] ?? [];
    const rows = template.map((row) => {
      const { payload, ...rest } = row;
      return keepsFrames ? { ...rest, payload, at: midnight + row.at } : { ...rest, at: midnight + row.at };
    });
    for (let hour = 0, place = 0; hour < 24; hour++) {
      const until = midnight + (hour + 1) * 3_600_000;
      const start = place;
      while (place < rows.length && (rows[place]?.at ?? 0) < until) place++;
      now = until - 1;
      await writer.append(rows.slice(start, place));
      now = until;
      await writer.tick();
    }
    count += rows.length;
    while (writer.pack());
  }
  await writer[Symbol.asyncDispose]();
  return { rows: count, seconds: (performance.now() - began) / 1_000 };
}

/** @param {number} years */
async function questions(years) {
  const { signal } = new AbortController();
  const began = performance.now();
  const reader = await StoreReader.open({ folder, timeZone: "Europe/Berlin" });
  await reader.contents();
  console.log(`  opening and table of contents: ${(performance.now() - began).toFixed(0)} ms`);
  const ranges = { "ten years": 3_650, year: 365, month: 30, week: 7, day: 1, "two hours": 1 / 12 };
  for (const [label, length] of Object.entries(ranges)) {
    if (length > years * 365) continue;
    let turn = 0;
    const { median, slowest } = await timed(async () => {
      const name = ["batteryVoltage", "loadActivePower", "pv1Power"][turn++ % 3];
      const to = end - ((turn * 37) % Math.max(1, years * 365 - length)) * dayMs;
      return await reader.series({ inverter: "one", name, from: to - length * dayMs, to, points: 1_000 }, { signal });
    });
    console.log(`  ${label.padEnd(10)} at 1,000 points: median ${median.toFixed(1)} ms, slowest ${slowest.toFixed(1)} ms`);
  }
  const spans = await timed(
    async () => await reader.spans({ inverter: "one", name: "operatingMode", from: end - 365 * dayMs, to: end }, { signal }),
  );
  console.log(`  spans of a year: median ${spans.median.toFixed(1)} ms`);
  await reader[Symbol.asyncDispose]();
}

let written = 0;
for (const years of given.years
  .split(",")
  .map(Number)
  .toSorted((a, b) => a - b)) {
  if (!given.reuse || !existsSync(join(folder, "history.db"))) {
    // The years before come last: the newest stay the same ones.
    const { rows, seconds } = await write(end - years * 365 * dayMs, end - written * 365 * dayMs);
    console.log(
      `${years} years: ${(rows / 1e6).toFixed(1)} million rows written in ${seconds.toFixed(0)} s, ${Math.round(rows / seconds)} a second`,
    );
  }
  written = years;
  console.log(`  size: ${sizeMb(folder).toFixed(0)} MB, ${(sizeMb(folder) / years).toFixed(0)} MB a year`);
  await questions(years);
}
if (given.folder === undefined) rmSync(folder, { recursive: true });
