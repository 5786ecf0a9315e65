import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bucketMs, flowKeys, type FlowPowers } from "./flow.ts";
import { bucketsOf, bucketStart, freshIntegrator, integrate, openBucket, within, type IntegratorState } from "./integrate.ts";
import type { Sample } from "./sampler.ts";

const options = { holdMs: 120_000 };
const noon = Date.UTC(2026, 5, 21, 10);
const load = (at: number, watts: number): Sample => ({ at: noon + at, powers: { load: { watts, origin: "measured" } } });
const minute = 60_000;

describe("energy between samples", () => {
  test("is the mean of both powers by the time between them", () => {
    expect(bucketsOf([load(0, 1000), load(minute, 2000)], options)).toEqual([
      { at: noon, flows: { load: { wattHours: 25, coveredMs: minute, origin: "measured" } } },
    ]);
  });

  test("is split at the edge of a quarter of an hour where the power stands at that moment", () => {
    const buckets = bucketsOf([load(bucketMs - minute, 0), load(bucketMs + minute, 1200)], options);
    expect(buckets.map(({ at, flows }) => [at - noon, flows.load?.wattHours, flows.load?.coveredMs])).toEqual([
      [0, 5, minute],
      [bucketMs, 15, minute],
    ]);
  });

  test("of a gap is none, and the gap is missing coverage", () => {
    const buckets = bucketsOf([load(0, 1000), load(minute, 1000), load(18 * minute, 1000), load(19 * minute, 1000)], options);
    expect(buckets.map(({ at, flows }) => [at - noon, flows.load?.coveredMs])).toEqual([
      [0, minute],
      [bucketMs, minute],
    ]);
    expect(bucketsOf([load(0, 1000), load(120_000, 1000)], options)[0]?.flows.load?.coveredMs).toBe(120_000);
    expect(bucketsOf([load(0, 1000), load(120_001, 1000)], options)).toEqual([]);
  });

  test("of a flow that one sample does not know is not counted, the others are", () => {
    const some: Sample = { at: noon + minute, powers: { pv: { watts: 500, origin: "derived" } } };
    const both: FlowPowers = { load: { watts: 600, origin: "measured" }, pv: { watts: 700, origin: "estimated" } };
    expect(bucketsOf([{ at: noon, powers: both }, some, load(2 * minute, 100)], options)).toEqual([
      { at: noon, flows: { pv: { wattHours: 10, coveredMs: minute, origin: "estimated" } } },
    ]);
  });

  test("given twice or late changes nothing", () => {
    const first = integrate(freshIntegrator, load(minute, 500), options).state;
    for (const late of [load(0, 900), load(minute, 900)])
      expect(integrate(first, late, options)).toEqual({ state: first, finished: [], added: {} });
  });

  test("a quarter of an hour is told once it is over, and before that as far as it goes", () => {
    let state: IntegratorState = freshIntegrator;
    const finished: number[] = [];
    for (let at = 0; at <= 31 * minute; at += minute) {
      const step = integrate(state, load(at, 1000), options);
      state = step.state;
      finished.push(...step.finished.map((bucket) => bucket.at - noon));
    }
    expect(finished).toEqual([0, bucketMs]);
    expect(openBucket(state)?.flows.load?.wattHours).toBeCloseTo(1000 / 60, 9);
  });
});

/** Samples of a unit that loses single flows and answers irregularly. */
const courses = fc
  .array(
    fc.record({
      pause: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 100_000 }) }, fc.integer({ min: 100_000, max: 4_000_000 })),
      powers: fc.dictionary(
        fc.constantFrom(...flowKeys),
        fc.record({ watts: fc.integer({ min: 0, max: 12_000 }), origin: fc.constantFrom("measured", "derived", "estimated") }),
        { minKeys: 3 },
      ),
    }),
    { maxLength: 60 },
  )
  .map((steps) => {
    let at = noon;
    return steps.map(({ pause, powers }): Sample => ({ at: (at += pause), powers: powers as FlowPowers }));
  });

describe("whatever the samples are", () => {
  test("cut anywhere and kept as JSON in between, the count is the same to the last bit", () => {
    fc.assert(
      fc.property(courses, fc.array(fc.nat(60)), (samples, cuts) => {
        let state: IntegratorState = freshIntegrator;
        const buckets = samples.flatMap((sample, index) => {
          if (cuts.includes(index)) state = JSON.parse(JSON.stringify(state)) as IntegratorState;
          const step = integrate(state, sample, options);
          state = step.state;
          return step.finished;
        });
        const rest = openBucket(state);
        expect(rest === undefined ? buckets : [...buckets, rest]).toEqual(bucketsOf(samples, options));
      }),
    );
  });

  test("any hours counted anew from the samples around them are as they were counted live", () => {
    fc.assert(
      fc.property(courses, fc.nat(40), fc.integer({ min: 1, max: 8 }), (samples, first, count) => {
        const range = { from: noon + first * bucketMs, to: noon + (first + count) * bucketMs };
        const around = samples.filter(({ at }) => at >= range.from - options.holdMs && at <= range.to + options.holdMs);
        expect(within(bucketsOf(around, options), range)).toEqual(within(bucketsOf(samples, options), range));
      }),
    );
  });

  test("nothing is negative, nothing covers more than its time, and the sum is that of all intervals", () => {
    fc.assert(
      fc.property(courses, (samples) => {
        const buckets = bucketsOf(samples, options);
        expect(buckets.map(({ at }) => at)).toEqual([...new Set(buckets.map(({ at }) => at))].sort((a, b) => a - b));
        for (const key of flowKeys) {
          let [wattHours, coveredMs] = [0, 0];
          for (const { at, flows } of buckets) {
            expect(at).toBe(bucketStart(at));
            expect(flows[key]?.wattHours ?? 0).toBeGreaterThanOrEqual(0);
            expect(flows[key]?.coveredMs ?? 0).toBeLessThanOrEqual(bucketMs);
            wattHours += flows[key]?.wattHours ?? 0;
            coveredMs += flows[key]?.coveredMs ?? 0;
          }
          let [expectedWattHours, expectedMs] = [0, 0];
          for (const [index, after] of samples.entries()) {
            const before = samples[index - 1];
            const [one, two] = [before?.powers[key], after.powers[key]];
            if (before === undefined || one === undefined || two === undefined || after.at - before.at > options.holdMs) continue;
            expectedMs += after.at - before.at;
            expectedWattHours += ((one.watts + two.watts) / 2) * ((after.at - before.at) / 3_600_000);
          }
          expect(coveredMs).toBe(expectedMs);
          expect(Math.abs(wattHours - expectedWattHours)).toBeLessThanOrEqual(1e-9 * (1 + expectedWattHours));
        }
      }),
    );
  });
});
