import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { followCounter, reconcile, unfollowed, type Followed } from "./reconcile.ts";

const minute = 60_000;
const follow = (readings: readonly number[], everyMs = 2 * minute, mostWatts?: number): Followed =>
  readings.reduce(
    (state, wattHours, index) => followCounter(state, { at: index * everyMs, wattHours }, mostWatts === undefined ? {} : { mostWatts }),
    unfollowed,
  );

describe("a counter of the unit", () => {
  test("that counts up is followed from its first reading", () => {
    expect(follow([5000, 5100, 5100, 5250])).toMatchObject({ wattHours: 250, dips: 0, resets: 0 });
  });

  test("that dips by 100 Wh, or reads 0 once after a reboot, is not believed meanwhile", () => {
    expect(follow([5000, 5100, 5000, 5150])).toMatchObject({ wattHours: 150, dips: 1, resets: 0 });
    expect(follow([5000, 5100, 0, 5150])).toMatchObject({ wattHours: 150, dips: 1, resets: 0 });
    expect(follow([5000, 5100, 0, 0]).wattHours).toBe(100);
  });

  test("that has begun anew counts from there on, once that stands", () => {
    expect(follow([5000, 5100, 0, 20, 40])).toMatchObject({ wattHours: 100, resets: 0 });
    expect(follow([5000, 5100, 0, 20, 40, 60, 90])).toMatchObject({ wattHours: 190, dips: 0, resets: 1 });
  });

  test("that stays a little lower for good goes on once it has caught up", () => {
    expect(follow([5000, 5100, 5000, 5050, 5090, 5120, 5200], 5 * minute)).toMatchObject({ wattHours: 200, resets: 0 });
  });

  test("that leaps beyond what the unit can give is not believed, and back it is", () => {
    expect(follow([5000, 5100, 99_999_999, 5300], 2 * minute, 8000)).toMatchObject({ wattHours: 300 });
  });

  test("never goes down and never counts more than it has shown, whatever it reads", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 60 }), (readings) => {
        let state = unfollowed;
        for (const [index, wattHours] of readings.entries()) {
          const next = followCounter(state, { at: index * minute, wattHours });
          expect(next.wattHours).toBeGreaterThanOrEqual(state.wattHours);
          expect(next.wattHours - state.wattHours).toBeLessThanOrEqual(wattHours);
          state = next;
        }
      }),
    );
  });

  test("read twice, or late, changes nothing", () => {
    const state = follow([5000, 5100]);
    expect(followCounter(state, { at: 2 * minute, wattHours: 9000 })).toBe(state);
    expect(followCounter(state, { at: 0, wattHours: 9000 })).toBe(state);
  });
});

test("both counts of a period are compared, and a day of which part is missing says so", () => {
  const period = { kind: "day", key: "2026-11-25", from: 0, to: 86_400_000 } as const;
  const ours = { wattHours: 10_200, coverage: 1, coveredMs: 86_400_000, origin: "measured" } as const;
  const told = { pvEnergyOfDay: 10_000, pvEnergyOfMonth: 300_000, pvEnergyTotal: 5_000_000, loadEnergyOfDay: 8000 };
  expect(reconcile({ period, flows: { pv: ours } }, told)).toEqual({
    pv: { ours, unitWattHours: 10_000, differenceWattHours: 200, difference: 0.02, comparable: true },
  });
  const load = { ...ours, wattHours: 0, coverage: 0.9 };
  const { load: compared } = reconcile({ period, flows: { load } }, { loadEnergyOfDay: 0 });
  expect(compared).toEqual({ ours: load, unitWattHours: 0, differenceWattHours: 0, comparable: false });
});
