import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HistoryRow } from "../model/history.ts";
import { silentLogger } from "../model/logger.ts";
import { StoreReader } from "./reader.ts";
import { HistoryWriter } from "./writer.ts";

const start = Date.UTC(2026, 5, 1);
const dayMs = 24 * 3_600_000;
const stepMs = 20_000;
const days = 5;
/** What lies behind it is in the write-ahead file only. */
const end = start + days * dayMs + 1_800_000;
const { signal } = new AbortController();

/** Flat but for single readings at odd places, each with a value of its own: the highest first, the lowest last. */
const rows: readonly HistoryRow[] = Array.from({ length: (end - start) / stepMs }, (_, index) => ({
  inverter: "one",
  at: start + index * stepMs + (index % 7) * 11,
  command: "QPIGS",
  values: { batteryVoltage: index % 97 === 13 ? 60 - index / 1e5 : index % 89 === 5 ? 40 - index / 1e5 : 52 },
}));
const valueOf = ({ values }: HistoryRow): number => values["batteryVoltage"] as number;

let folder: string;
let reader: StoreReader;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-series-"));
  let now = start;
  await using writer = await HistoryWriter.open({ folder, logger: silentLogger, now: () => now });
  for (let from = start; from < end; from = now) {
    now = Math.min(end, from + 3_600_000);
    await writer.append(rows.filter(({ at }) => at >= from && at < now));
    await writer.tick();
    while (writer.pack());
  }
  reader = await StoreReader.open({ folder, timeZone: "Africa/Johannesburg" });
});
afterAll(async () => {
  await reader[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const spikes = rows.filter((row) => valueOf(row) !== 52);
/** Anywhere, or so close to a spike that it lies in a bucket over the edge. */
const moment = fc.oneof(
  fc.integer({ min: start, max: end }),
  fc
    .tuple(fc.constantFrom(...spikes), fc.integer({ min: -60_000, max: 60_000 }))
    .map(([{ at }, off]) => Math.min(end, Math.max(start, at + off))),
);
const range = fc
  .tuple(moment, moment)
  .filter(([one, other]) => one !== other)
  .map(([one, other]) => ({ from: Math.min(one, other), to: Math.max(one, other) }));

test("no number of points hides the highest or the lowest reading of any range, and none is invented", async () => {
  await fc.assert(
    fc.asyncProperty(range, fc.integer({ min: 1, max: 10_000 }), async ({ from, to }, points) => {
      const values = rows.filter(({ at }) => at >= from && at < to).map(valueOf);
      fc.pre(values.length > 0);
      const { buckets } = await reader.series({ inverter: "one", name: "batteryVoltage", from, to, points }, { signal });
      expect(Math.max(...buckets.map(({ max }) => max))).toBeGreaterThanOrEqual(Math.max(...values));
      expect(Math.min(...buckets.map(({ min }) => min))).toBeLessThanOrEqual(Math.min(...values));
      expect(buckets.length).toBeLessThanOrEqual(points + 1);
      for (const { min, mean, max } of buckets) expect(min <= mean && mean <= max).toBe(true);
    }),
    { numRuns: 80 },
  );
});

test("each spike is in the bucket of its time or the one beside it", async () => {
  await fc.assert(
    fc.asyncProperty(range, fc.integer({ min: 2, max: 2_000 }), async ({ from, to }, points) => {
      const { buckets, bucketMs = 0 } = await reader.series({ inverter: "one", name: "batteryVoltage", from, to, points }, { signal });
      for (const { at, values } of spikes.filter((row) => row.at >= from && row.at < to)) {
        const near = buckets.filter((bucket) => bucket.at >= at - 2 * bucketMs && bucket.at <= at + bucketMs);
        const value = values["batteryVoltage"] as number;
        expect(near.some(({ min, max }) => min <= value && value <= max)).toBe(true);
      }
    }),
    { numRuns: 80 },
  );
});
