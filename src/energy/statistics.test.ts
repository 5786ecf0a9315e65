import { describe, expect, test } from "vitest";
import { bucketMs, type EnergyBucket } from "./flow.ts";
import { batteryUseOf, loadDuration, momentaryPeak, peakLoad, sharesOf } from "./statistics.ts";
import type { PeriodFlow, PeriodFlows } from "./sums.ts";

const noon = Date.UTC(2026, 5, 21, 10);
const flow = (wattHours: number): PeriodFlow => ({ wattHours, coverage: 1, coveredMs: 86_400_000, origin: "measured" });
const loads = (...watts: readonly number[]): EnergyBucket[] =>
  watts.map((each, index) => ({
    at: noon + index * bucketMs,
    flows: { load: { wattHours: each / 4, coveredMs: bucketMs, origin: "measured" } },
  }));

describe("shares", () => {
  const flows: PeriodFlows = { pv: flow(10_000), load: flow(8000), gridImport: flow(2000), gridExport: flow(2500) };

  test("of PV that is used and of load that is our own", () => {
    expect(sharesOf(flows)).toEqual({ selfConsumption: 0.75, selfSufficiency: 0.75 });
  });

  test("are absent where they cannot be told, and never beyond 0 and 1", () => {
    const { gridExport: _, ...untold } = flows;
    expect(sharesOf(untold)).toEqual({ selfSufficiency: 0.75 });
    expect(sharesOf(untold, { neverFeedsIn: true }).selfConsumption).toBe(1);
    expect(sharesOf({ ...flows, pv: flow(0) })).toEqual({ selfSufficiency: 0.75 });
    expect(sharesOf({ ...flows, gridImport: flow(9000) }).selfSufficiency).toBe(0);
    expect(sharesOf({})).toEqual({});
  });
});

test("cycles are throughput by twice the capacity", () => {
  expect(batteryUseOf({ batteryCharge: flow(6000), batteryDischarge: flow(4000) }, 10_000)).toEqual({
    throughput: 10_000,
    cycles: 0.5,
    outByIn: 4000 / 6000,
  });
  expect(batteryUseOf({ batteryCharge: flow(6000) }, 10_000)).toBeUndefined();
});

describe("the peak", () => {
  test("is the quarter of an hour with the highest mean, the first of equal ones", () => {
    expect(peakLoad(loads(300, 2000, 900, 2000))).toEqual({ watts: 2000, at: noon + bucketMs });
    expect(peakLoad([])).toBeUndefined();
  });

  test("is not one of which only a moment is known", () => {
    const short: EnergyBucket = { at: noon, flows: { load: { wattHours: 100, coveredMs: 60_000, origin: "measured" } } };
    expect(peakLoad([short, ...loads(1000)])?.watts).toBe(1000);
  });

  test("of single readings is in the kept course", () => {
    const course = [410, 3900, 700].map((max, index) => ({ at: noon + index, count: 2, min: 0, max, mean: 0, coveredMs: 1 }));
    expect(momentaryPeak(course)).toEqual({ watts: 3900, at: noon + 1 });
  });
});

test("the load-duration curve goes from the peak down to the base load", () => {
  expect(loadDuration(loads(300, 2000, 900, 500), 4)).toEqual([
    { share: 0, watts: 2000 },
    { share: 0.25, watts: 900 },
    { share: 0.5, watts: 500 },
    { share: 0.75, watts: 300 },
    { share: 1, watts: 300 },
  ]);
  expect(loadDuration([])).toEqual([]);
});
