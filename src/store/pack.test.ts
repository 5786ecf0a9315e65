import fc from "fast-check";
import { expect, test } from "vitest";
import { StoreError } from "../model/errors.ts";
import type { Bucket, Span } from "../model/history.ts";
import { sealed } from "./bytes.ts";
import { decodePack, encodePack, packedBuckets, packedSpans, type PackEntry } from "./pack.ts";

const start = Date.UTC(2026, 2, 1);
const minuteMs = 60_000;

const tenths = fc.integer({ min: -9_999, max: 9_999 }).map((whole) => whole / 10);
const anything = fc.oneof(
  tenths,
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 }),
  fc.constantFrom(-0, 0, 2 ** 50 - 1, 123_456_789_012_345),
);

function bucketsOf(value: fc.Arbitrary<number>): fc.Arbitrary<Bucket[]> {
  return fc
    .array(
      fc.record({
        gap: fc.oneof(fc.constant(0), fc.nat({ max: 1_000 })),
        count: fc.nat({ max: 100 }),
        coveredMs: fc.integer({ min: 0, max: minuteMs }),
        extremes: fc.tuple(value, value),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { maxLength: 30 },
    )
    .map((list) => {
      let at = start - minuteMs;
      return list.map(({ gap, count, coveredMs, extremes: [one, other], share }) => {
        const [min, max] = one <= other ? [one, other] : [other, one];
        at += (gap + 1) * minuteMs;
        return { at, count, min, max, mean: Math.min(max, Math.max(min, min * (1 - share) + max * share)), coveredMs };
      });
    });
}

const withMean = (buckets: readonly Bucket[], mean: number): Bucket[] => buckets.map((bucket) => ({ ...bucket, mean }));

const spans: fc.Arbitrary<Span[]> = fc
  .array(
    fc.record({
      gap: fc.oneof(fc.constant(0), fc.nat({ max: 1e7 })),
      length: fc.integer({ min: 1, max: 1e7 }),
      value: fc.oneof(fc.constantFrom("line", "battery"), fc.boolean(), fc.array(fc.string(), { maxLength: 2 })),
    }),
    { maxLength: 20 },
  )
  .map((list) => {
    let to = start;
    return list.map(({ gap, length, value }) => {
      const from = to + gap;
      to = from + length;
      return { from, to, value };
    });
  });

test("extremes, counts and coverage come back exactly; the mean to a hundredth of the values' last digit, within them", () => {
  fc.assert(
    fc.property(bucketsOf(tenths), (buckets) => {
      const read = packedBuckets(encodePack(start, [{ name: "load", widthMs: minuteMs, buckets }]), "load", minuteMs);
      expect(withMean(read, 0)).toStrictEqual(withMean(buckets, 0));
      for (const [index, { min, mean, max }] of read.entries()) {
        expect(Math.abs(mean - (buckets[index]?.mean ?? Number.NaN))).toBeLessThanOrEqual(0.005 + 1e-9);
        expect(min <= mean && mean <= max).toBe(true);
      }
    }),
  );
});

test("extremes of any kind come back exactly", () => {
  fc.assert(
    fc.property(bucketsOf(anything), (buckets) => {
      const read = packedBuckets(encodePack(start, [{ name: "load", widthMs: minuteMs, buckets }]), "load", minuteMs);
      expect(withMean(read, 0)).toStrictEqual(withMean(buckets, 0));
      for (const { min, mean, max } of read) expect(min <= mean && mean <= max).toBe(true);
    }),
    { numRuns: 300 },
  );
});

const entries = fc.tuple(bucketsOf(tenths), bucketsOf(anything), spans).map(([load, odd, mode]): PackEntry[] => [
  { name: "load", widthMs: minuteMs, buckets: load },
  { name: "odd", widthMs: minuteMs, buckets: odd },
  { name: "mode", widthMs: 0, spans: mode },
]);

test("one series is read without the others, and all together say the same", () => {
  fc.assert(
    fc.property(entries, (given) => {
      const bytes = encodePack(start, given);
      const all = decodePack(bytes);
      expect(packedSpans(bytes, "mode")).toStrictEqual(given[2]?.spans);
      expect(all).toStrictEqual([
        { name: "load", widthMs: minuteMs, buckets: packedBuckets(bytes, "load", minuteMs) },
        { name: "odd", widthMs: minuteMs, buckets: packedBuckets(bytes, "odd", minuteMs) },
        { name: "mode", widthMs: 0, spans: packedSpans(bytes, "mode") },
      ]);
      expect(packedBuckets(bytes, "load", 15 * minuteMs)).toEqual([]);
      expect(packedSpans(bytes, "load")).toEqual([]);
    }),
  );
});

test("a cut or a flipped bit is always told, and a forged checksum ends in an answer or in the same error", () => {
  fc.assert(
    fc.property(entries, fc.nat(), fc.nat({ max: 7 }), (given, place, bit) => {
      const bytes = encodePack(start, given);
      const at = place % bytes.length;
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
      expect(() => decodePack(flipped)).toThrow(StoreError);
      expect(() => decodePack(bytes.subarray(0, at))).toThrow(StoreError);
      try {
        decodePack(sealed(flipped.subarray(0, -4)));
      } catch (error) {
        expect(error).toBeInstanceOf(StoreError);
      }
    }),
    { numRuns: 500 },
  );
});

test("even minutes cost nothing: a day of them", () => {
  const buckets = Array.from({ length: 1_440 }, (_, index) => ({
    at: start + index * minuteMs,
    count: 12,
    min: 230.1,
    max: 230.1,
    mean: 230.1,
    coveredMs: minuteMs,
  }));
  expect(encodePack(start, [{ name: "voltage", widthMs: minuteMs, buckets }]).length).toBeLessThan(100);
});
