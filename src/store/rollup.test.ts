import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coarsen, edgesOf, holdMsOf, joined, rollUp, spansOf } from "./rollup.ts";

const minute = 60_000;

describe("holdMsOf", () => {
  it("is four usual intervals, within 20 s and 10 min", () => {
    expect(holdMsOf([0, 30_000, 60_000, 4_000_000])).toBe(120_000);
    expect(holdMsOf([0, 1_000, 2_000])).toBe(20_000);
    expect(holdMsOf([0, 3_600_000])).toBe(600_000);
    expect(holdMsOf([5])).toBe(20_000);
  });
});

describe("rollUp", () => {
  it("weighs each value with the time for which it stood, cut at the edges of buckets", () => {
    const range = { widthMs: minute, from: 0, to: 2 * minute, holdMs: 40_000 };
    expect(rollUp([30_000, 45_000, 75_000], [10, 20, 40], range)).toEqual([
      { at: 0, count: 2, min: 10, max: 20, mean: 15, coveredMs: 30_000 },
      { at: minute, count: 1, min: 20, max: 40, mean: (20 * 15 + 40 * 40) / 55, coveredMs: 55_000 },
    ]);
  });

  it("takes what still stands from before the range without counting it, and leaves out what nobody knew", () => {
    const range = { widthMs: minute, from: minute, to: 5 * minute, holdMs: 20_000 };
    expect(rollUp([minute - 5_000, 4 * minute], [7, 9], range)).toEqual([
      { at: minute, count: 0, min: 7, max: 7, mean: 7, coveredMs: 15_000 },
      { at: 4 * minute, count: 1, min: 9, max: 9, mean: 9, coveredMs: 20_000 },
    ]);
    expect(rollUp([0], [7], range)).toEqual([]);
  });

  const samples = fc
    .uniqueArray(fc.integer({ min: 0, max: 10 * minute }), { minLength: 1, maxLength: 60 })
    .map((list) => list.toSorted((one, other) => one - other))
    .chain((times) =>
      fc.record({
        times: fc.constant(times),
        values: fc.array(fc.integer({ min: -500, max: 500 }), { minLength: times.length, maxLength: times.length }),
        holdMs: fc.integer({ min: 1, max: 3 * minute }),
        widthMs: fc.constantFrom(7_000, minute, 4 * minute),
        from: fc.constantFrom(0, 2 * minute),
      }),
    );

  it("agrees with a plain sum over the parts of each bucket", () => {
    fc.assert(
      fc.property(samples, ({ times, values, holdMs, widthMs, from }) => {
        const to = 9 * minute;
        const buckets = rollUp(times, values, { widthMs, from, to, holdMs });
        const stood = times.map((time, index) => {
          const start = Math.max(from, time);
          return { start, end: Math.max(start, Math.min(times[index + 1] ?? Infinity, time + holdMs, to)), value: values[index] ?? 0 };
        });
        for (const { at, mean, min, max, count, coveredMs } of buckets) {
          const end = at + widthMs;
          expect((at - from) % widthMs).toBe(0);
          const parts = stood
            .map((one) => ({ ms: Math.min(end, one.end) - Math.max(at, one.start), value: one.value }))
            .filter(({ ms }) => ms > 0);
          const covered = parts.reduce((sum, { ms }) => sum + ms, 0);
          expect(coveredMs).toBe(covered);
          expect(min).toBe(Math.min(...parts.map(({ value }) => value)));
          expect(max).toBe(Math.max(...parts.map(({ value }) => value)));
          expect(mean).toBeCloseTo(parts.reduce((sum, { ms, value }) => sum + ms * value, 0) / covered, 9);
          expect(count).toBe(times.filter((time) => time >= Math.max(at, from) && time < Math.min(end, to)).length);
        }
        // No bucket in which a value was known is missing.
        const total = stood.reduce((sum, { start, end }) => sum + end - start, 0);
        expect(buckets.reduce((sum, { coveredMs }) => sum + coveredMs, 0)).toBe(total);
        expect(buckets.reduce((sum, { count }) => sum + count, 0)).toBe(times.filter((time) => time >= from && time < to).length);
      }),
    );
  });

  it("made coarser says the same as made coarse at once", () => {
    fc.assert(
      fc.property(samples, ({ times, values, holdMs }) => {
        const range = { from: 0, to: 12 * minute, holdMs };
        const direct = rollUp(times, values, { ...range, widthMs: 4 * minute });
        const two = coarsen(rollUp(times, values, { ...range, widthMs: minute }), edgesOf(0, 12 * minute, 4 * minute));
        expect(two.map((bucket, index) => ({ ...bucket, mean: direct[index]?.mean }))).toEqual(direct);
        for (const [index, { mean }] of two.entries()) expect(mean).toBeCloseTo(direct[index]?.mean ?? Number.NaN, 9);
      }),
    );
  });
});

describe("coarsen", () => {
  it("takes uneven edges, such as a day of 23 hours, and leaves out what lies before the first", () => {
    const hour = 60 * minute;
    const hours = Array.from({ length: 49 }, (_, index) => ({
      at: index * hour,
      count: 1,
      min: index,
      max: index,
      mean: index,
      coveredMs: hour,
    }));
    expect(coarsen(hours, [hour, 24 * hour, 48 * hour])).toEqual([
      { at: hour, count: 23, min: 1, max: 23, mean: 12, coveredMs: 23 * hour },
      { at: 24 * hour, count: 24, min: 24, max: 47, mean: 35.5, coveredMs: 24 * hour },
      { at: 48 * hour, count: 1, min: 48, max: 48, mean: 48, coveredMs: hour },
    ]);
  });
});

describe("spansOf", () => {
  it("joins what says the same and ends each at the last moment at which it was known", () => {
    const range = { from: 10, to: 1_000, holdMs: 100 };
    expect(spansOf([0, 50, 90, 300, 350], ["line", "line", "battery", "battery", "battery"], range)).toEqual([
      { from: 10, to: 90, value: "line" },
      { from: 90, to: 190, value: "battery" },
      { from: 300, to: 450, value: "battery" },
    ]);
    expect(spansOf([20, 60], [["low"], ["low"]], range)).toEqual([{ from: 20, to: 160, value: ["low"] }]);
  });

  it("joins over the border of two days", () => {
    const both = joined([
      { from: 0, to: 10, value: true },
      { from: 10, to: 20, value: true },
      { from: 20, to: 30, value: false },
    ]);
    expect(both).toEqual([
      { from: 0, to: 20, value: true },
      { from: 20, to: 30, value: false },
    ]);
  });
});
