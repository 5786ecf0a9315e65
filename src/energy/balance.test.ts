import { describe, expect, test } from "vitest";
import { balanceOf } from "./balance.ts";
import { bucketMs, byFlow, type EnergyBucket, type FlowKey, type FlowPowers } from "./flow.ts";
import { gridEstimate, powersOf } from "./powers.ts";

const noon = Date.UTC(2026, 5, 21, 10);
const { pvToBus, batteryToBus, busToOutput, ownWatts } = gridEstimate;

function bucketsOf(powers: FlowPowers, count = 4): EnergyBucket[] {
  return Array.from({ length: count }, (_, index) => ({
    at: noon + index * bucketMs,
    flows: byFlow((key: FlowKey) => {
      const power = powers[key];
      return power && { wattHours: power.watts / 4, coveredMs: bucketMs, origin: power.origin };
    }),
  }));
}

const measured = (watts: number) => ({ watts, origin: "measured" }) as const;
const offGrid = (load: number, pv: number): FlowPowers => {
  const bus = pv * pvToBus - load / busToOutput - ownWatts;
  return {
    pv: measured(pv),
    pv1: measured(pv),
    load: measured(load),
    gridImport: { watts: 0, origin: "derived" },
    batteryCharge: measured(Math.max(0, bus * batteryToBus)),
    batteryDischarge: measured(Math.max(0, -bus / batteryToBus)),
  };
};

describe("the balance", () => {
  test.each([
    [1000, 3000],
    [2500, 400],
    [300, 0],
  ])("of a unit off the grid with %d W of load and %d W of sun has no residual", (load, pv) => {
    const balance = balanceOf(bucketsOf(offGrid(load, pv)), { volts: 52 })!;
    expect(balance.residual).toBeCloseTo(0, 6);
    expect(balance.losses).toBeCloseTo(balance.in - balance.out, 9);
    expect(balance.losses).toBeGreaterThan(ownWatts);
    expect(balance).toMatchObject({ fits: true, gridIsEstimated: false, coverage: 1 });
    // An hour of half an ampere at 52 V, and half a watt twice.
    expect(balance.band).toBeGreaterThan(27);
    expect(balance.band).toBeLessThan(30);
  });

  test("does not fit where a string is missing, and tells by how much", () => {
    const flows = offGrid(1000, 3000);
    const balance = balanceOf(bucketsOf({ ...flows, pv: measured(1800) }), { volts: 52 })!;
    expect(balance.fits).toBe(false);
    expect(balance.residual).toBeCloseTo(-1200 * pvToBus, 6);
  });

  test("on the grid fits by itself and says so", () => {
    const status = {
      gridVoltage: 230,
      loadActivePower: 1000,
      batteryVoltage: 52,
      batteryChargeCurrent: 10,
      batteryDischargeCurrent: 0,
      pv1Power: 400,
    };
    const powers = powersOf([
      { at: 0, command: "QPIGS", values: status },
      { at: 0, command: "QMOD", values: { operatingMode: "line" } },
    ]);
    const balance = balanceOf(bucketsOf(powers), { volts: 52 })!;
    expect(balance.gridIsEstimated).toBe(true);
    expect(balance.residual).toBeCloseTo(0, 6);
  });

  test("is made of the time in which all of it is known, and of none there is none", () => {
    const whole = bucketsOf(offGrid(1000, 3000), 2);
    const { load: _, ...part } = offGrid(1000, 3000);
    const without = bucketsOf(part, 1).map((bucket) => ({ ...bucket, at: noon + 2 * bucketMs }));
    expect(balanceOf([...whole, ...without], { volts: 52, lengthMs: 4 * bucketMs })?.coverage).toBe(0.5);
    expect(balanceOf(without, { volts: 52 })).toBeUndefined();
  });
});
