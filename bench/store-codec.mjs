/**
 * Size and speed of history's segments, packs and kept answers, on what the simulated inverter says over some days.
 *   node bench/store-codec.mjs [--days 2] [--every 5]
 */
import { parseArgs } from "node:util";
import { built, simulatedUnit } from "./simulated-unit.mjs";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const start = Date.UTC(2026, 2, 14);
const { values: given } = parseArgs({ options: { days: { type: "string", default: "2" }, every: { type: "string", default: "5" } } });

const { decodePack, encodePack } = await built("store/pack");
const { decodePayloads, encodePayloads } = await built("store/payloads");
const { coarsen, edgesOf, holdMsOf, rollUp, spansOf } = await built("store/rollup");
const { decodeSegment, encodeSegment, readColumn, readColumns } = await built("store/segment");

/** @typedef {import("../src/model/history.ts").HistoryRow} HistoryRow */
/** @typedef {import("../src/model/history.ts").Bucket} Bucket */
/** @typedef {import("../src/store/pack.ts").PackEntry} PackEntry */
/** @typedef {import("../src/store/segment.ts").Column} Column */

/**
 * A day of answers to one command, polled a little unevenly as over a real line.
 * @param {string} command
 * @param {number} day
 * @returns {HistoryRow[]}
 */
function rowsOf(command, day) {
  const ask = simulatedUnit({ seed: 7, start: start + day * dayMs });
  const rows = [];
  for (let step = 0; step < dayMs / (Number(given.every) * 1_000); step++) {
    const row = ask(command, start + day * dayMs + step * Number(given.every) * 1_000 + ((step * 7_919) % 23));
    if (row !== undefined) rows.push(row);
  }
  return rows;
}

/** @param {readonly HistoryRow[]} rows */
function byHour(rows) {
  /** @type {HistoryRow[][]} */
  const hours = [];
  for (const row of rows) (hours[Math.floor((row.at - start) / hourMs)] ??= []).push(row);
  return hours.filter((hour) => hour !== undefined);
}

/**
 * @template Result
 * @param {() => Result} work
 * @returns {{ result: Result, seconds: number }} the best of three
 */
function timed(work) {
  let best = Number.POSITIVE_INFINITY;
  let result = work();
  for (let turn = 0; turn < 3; turn++) {
    const began = performance.now();
    result = work();
    best = Math.min(best, (performance.now() - began) / 1_000);
  }
  return { result, seconds: best };
}

/**
 * @param {readonly Uint8Array[]} segments of one day
 * @param {number} from
 */
function dayPack(segments, from) {
  /** @type {Map<string, { times: number[], values: unknown[], type: Column["type"] }>} */
  const series = new Map();
  for (const segment of segments)
    for (const [name, { type, times, values }] of readColumns(segment)) {
      let all = series.get(name);
      if (all === undefined) series.set(name, (all = { times: [], values: [], type }));
      all.times.push(...times);
      all.values.push(...values);
    }
  /** @type {PackEntry[]} */
  const entries = [];
  for (const [name, { times, values, type }] of series) {
    const range = { from, to: from + dayMs, holdMs: holdMsOf(times) };
    if (type === "number") entries.push({ name, widthMs: 60_000, buckets: rollUp(times, values, { ...range, widthMs: 60_000 }) });
    else entries.push({ name, widthMs: 0, spans: spansOf(times, values, range) });
  }
  return encodePack(from, entries);
}

/**
 * @param {readonly Uint8Array[]} days
 * @param {number} count
 */
function monthPack(days, count) {
  /** @type {Map<string, Bucket[]>} */
  const quarters = new Map();
  /** @type {PackEntry[]} */
  const entries = [];
  const edges = edgesOf(start, start + count * dayMs, hourMs / 4);
  for (const day of days)
    for (const { name, buckets, spans } of decodePack(day)) {
      if (buckets !== undefined) quarters.set(name, [...(quarters.get(name) ?? []), ...coarsen(buckets, edges)]);
      else entries.push({ name, widthMs: 0, spans });
    }
  for (const [name, buckets] of quarters) {
    entries.push({ name, widthMs: hourMs / 4, buckets });
    entries.push({ name, widthMs: hourMs, buckets: coarsen(buckets, edgesOf(start, start + count * dayMs, hourMs)) });
  }
  return encodePack(start, entries);
}

/** @param {readonly Uint8Array[]} blobs */
const sizeOf = (blobs) => blobs.reduce((sum, { length }) => sum + length, 0);
/** @param {number} bytes */
const mb = (bytes) => (bytes / 1e6).toFixed(2);

for (const command of ["QPIGS", "QPGS0"]) {
  const count = Number(given.days);
  const days = Array.from({ length: count }, (_, day) => rowsOf(command, day));
  const rows = days.flat();
  const hours = byHour(rows);
  const names = new Set(rows.flatMap(({ values }) => Object.keys(values)));
  const encode = timed(() => hours.map(encodeSegment));
  const segments = /** @type {Uint8Array[]} */ (encode.result);
  const identity = { inverter: "one", command };
  const decode = timed(() => segments.map((segment) => decodeSegment(segment, identity).length));
  const one = timed(() => segments.map((segment) => readColumn(segment, "batteryVoltage")?.times.length));
  const perDay = segments.length / count;
  const packs = timed(() => days.map((_, day) => dayPack(segments.slice(day * perDay, (day + 1) * perDay), start + day * dayMs)));
  const month = timed(() => monthPack(packs.result, count));
  const frames = hours.map((hour) => hour.map(({ at, payload = "" }) => ({ at, payload })));
  const payloads = timed(() => frames.map(encodePayloads));
  const unpacked = timed(() => payloads.result.map((blob) => decodePayloads(blob).length));
  /** @param {number} bytes */
  const perMillion = (bytes) => mb((bytes / rows.length) * 1e6);
  /** @param {number} seconds */
  const rate = (seconds) => `${Math.round(rows.length / seconds / 1_000)} k rows/s`;
  const small = sizeOf(segments);
  process.stdout.write(`${command}: ${rows.length} rows of ${names.size} series, every ${given.every} s, over ${count} days\n`);
  console.table({
    segments: {
      "MB per million rows": perMillion(small),
      "kB a day": Math.round(small / count / 1e3),
      write: rate(encode.seconds),
      read: rate(decode.seconds),
    },
    "one series of them": { read: rate(one.seconds) },
    "day packs": {
      "MB per million rows": perMillion(sizeOf(packs.result)),
      "kB a day": Math.round(sizeOf(packs.result) / count / 1e3),
      write: rate(packs.seconds),
    },
    "month pack": {
      "MB per million rows": perMillion(month.result.length),
      "kB a day": Math.round(month.result.length / count / 1e3),
      write: rate(month.seconds),
    },
    "kept answers": {
      "MB per million rows": perMillion(sizeOf(payloads.result)),
      "kB a day": Math.round(sizeOf(payloads.result) / count / 1e3),
      write: rate(payloads.seconds),
      read: rate(unpacked.seconds),
    },
  });
  process.stdout.write(`packs / segments: ${(((sizeOf(packs.result) + month.result.length) / small) * 100).toFixed(0)} %\n\n`);
}
