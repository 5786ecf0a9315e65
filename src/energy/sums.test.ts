import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LocalTime } from "../model/local-time.ts";
import { bucketMs, type EnergyBucket, type FlowEnergies } from "./flow.ts";
import { fillGaps, noFilling, type Filling } from "./gaps.ts";
import { sumByPeriod, sumOfUnits } from "./sums.ts";

const hourMs = 3_600_000;
const berlin = LocalTime.of("Europe/Berlin");
const load = (wattHours: number, coveredMs = bucketMs): FlowEnergies => ({ load: { wattHours, coveredMs, origin: "measured" } });

/** A quarter of an hour for each entry: watts for all of it, or watts and covered ms; null where nothing is known. */
function course(from: number, cells: readonly (number | readonly [watts: number, coveredMs: number] | null)[]): EnergyBucket[] {
  return cells.flatMap((cell, index) => {
    if (cell === null) return [];
    const [watts, coveredMs] = typeof cell === "number" ? [cell, bucketMs] : cell;
    return [{ at: from + index * bucketMs, flows: load((watts * coveredMs) / hourMs, coveredMs) }];
  });
}

describe("a local day", () => {
  const from = Date.UTC(2026, 9, 23, 22);
  const buckets = course(
    from,
    Array.from({ length: 4 * 24 * 3 + 4 }, () => 1000),
  );
  const range = { from, to: from + 73 * hourMs };

  test("of a clock change has 25 hours, and all of them are in it", () => {
    const days = sumByPeriod(buckets, { kind: "day", local: berlin, range, now: Infinity });
    expect(days.map(({ period, flows }) => [period.key, flows.load?.wattHours, flows.load?.coverage])).toEqual([
      ["2026-10-24", 24_000, 1],
      ["2026-10-25", 25_000, 1],
      ["2026-10-26", 24_000, 1],
    ]);
    expect(sumByPeriod(buckets, { kind: "month", local: berlin, range, now: Infinity })[0]?.flows.load?.wattHours).toBe(73_000);
  });

  test("that goes on is covered by what is over of it, and one of which nothing is known has no energy, not none", () => {
    const now = from + 6 * hourMs;
    const days = sumByPeriod(buckets.slice(0, 12), { kind: "day", local: berlin, range: { from, to: now }, now });
    expect(days.map(({ flows }) => flows.load?.coverage)).toEqual([0.5]);
    expect(sumByPeriod([], { kind: "day", local: berlin, range: { from, to: now }, now })[0]?.flows).toEqual({});
  });
});

test("days add up to months and years, in any zone", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("Europe/Berlin", "Asia/Kathmandu", "Asia/Beirut", "Australia/Lord_Howe"),
      fc.array(fc.option(fc.integer({ min: 0, max: 9000 })), { minLength: 1, maxLength: 400 }),
      fc.integer({ min: 0, max: 40_000 }),
      (zone, cells, start) => {
        const from = Date.UTC(2026, 0) + start * bucketMs;
        const buckets = course(from, cells);
        const local = LocalTime.of(zone);
        const range = { from, to: from + cells.length * bucketMs };
        const all = (kind: "day" | "month" | "year"): number =>
          sumByPeriod(buckets, { kind, local, range, now: Infinity }).reduce((sum, { flows }) => sum + (flows.load?.wattHours ?? 0), 0);
        const expected = buckets.reduce((sum, { flows }) => sum + (flows.load?.wattHours ?? 0), 0);
        for (const kind of ["day", "month", "year"] as const) expect(all(kind)).toBeCloseTo(expected, 6);
      },
    ),
  );
});

describe("a gap", () => {
  const noon = Date.UTC(2026, 5, 21, 10);
  const minute = 60_000;
  const filled = (cells: Parameters<typeof course>[1], filling: Filling): (readonly [number, number, number])[] =>
    [...fillGaps(course(noon, cells), filling)].map(([at, flows]) => [(at - noon) / bucketMs, flows.load!.wattHours, flows.load!.filledMs]);
  const seventeenMinutes = [600, [600, 10 * minute], null, [1000, 13 * minute], 1000] as const;

  test("stays one unless a method is named", () => {
    expect(filled(seventeenMinutes, noFilling)).toEqual([]);
  });

  test("is filled from the quarters of an hour around it, and told apart from what was counted", () => {
    const longestMs = 30 * minute;
    expect(filled(seventeenMinutes, { method: "hold", longestMs })).toEqual([
      [1, 50, 5 * minute],
      [2, 150, bucketMs],
      [3, 1000 / 30, 2 * minute],
    ]);
    expect(filled(seventeenMinutes, { method: "linear", longestMs })[1]).toEqual([2, 200, bucketMs]);
    const day = sumByPeriod(course(noon, seventeenMinutes), {
      kind: "day",
      local: LocalTime.of("UTC"),
      range: { from: noon, to: noon + 1 },
      now: noon + 5 * bucketMs,
      filling: { method: "linear", longestMs },
    });
    expect(day[0]?.flows.load).toMatchObject({ wattHours: 150 + 100 + 13_000 / 60 + 250, filled: { filledMs: 22 * minute } });
  });

  test("of more than the limit stays one, also where it begins and ends within a quarter of an hour", () => {
    expect(filled(seventeenMinutes, { method: "hold", longestMs: 20 * minute })).toEqual([]);
    expect(filled([600, null, null, null, 600], { method: "linear", longestMs: 44 * minute })).toEqual([]);
    expect(filled([600, null, null, null, 1000], { method: "linear", longestMs: 45 * minute }).map(([, wattHours]) => wattHours)).toEqual([
      175, 200, 225,
    ]);
  });

  test("small ones in every quarter of an hour are each filled from their own", () => {
    const cells = [900, [400, 800_000], [800, 800_000], [100, 800_000], 900] as const;
    const found = filled(cells, { method: "hold", longestMs: 2 * minute });
    expect(found.map(([at, wattHours]) => [at, Math.round(wattHours * 36)])).toEqual([
      [1, 400],
      [2, 800],
      [3, 100],
    ]);
  });

  test("has two ends: before the first and behind the last reading is none", () => {
    expect(filled([[600, 10 * minute], 600, [600, 3 * minute]], { method: "linear", longestMs: hourMs })).toEqual([]);
  });
});

describe("several units", () => {
  const at = Date.UTC(2026, 5, 21, 10);
  const bucket = (flows: FlowEnergies): EnergyBucket => ({ at, flows });

  test("are added up, and one that is missing is missing coverage", () => {
    expect(sumOfUnits([[bucket(load(100))], [bucket(load(50, 300_000))], []])).toEqual([bucket(load(150, 400_000))]);
  });

  test("of which one has no second string lack nothing", () => {
    const pv2: FlowEnergies = { pv2: { wattHours: 10, coveredMs: bucketMs, origin: "measured" } };
    expect(sumOfUnits([[bucket({ ...load(1), ...pv2 })], [bucket(load(1))]])[0]?.flows.pv2?.coveredMs).toBe(bucketMs);
  });
});
