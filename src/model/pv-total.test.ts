import { expect, test } from "vitest";
import type { Reading, Values } from "./reading.ts";
import { pvTotal } from "./pv-total.ts";

function reading(command: string, at: number, values: Values, derived: Values = {}): Reading {
  return { inverter: "one", at, command, payload: "", values, derived, tail: [] };
}

test("one input is a measurement", () => {
  expect(pvTotal([reading("QPIGS", 5, { pv1Power: 700 })])).toEqual({ watts: 700, origin: "measured", at: 5, commands: ["QPIGS"] });
});

test("inputs of several commands are added and are as old as the oldest", () => {
  expect(pvTotal([reading("QPIGS", 9, { pv1Power: 700 }), reading("QPIGS2", 5, { pv2Power: 205 })])).toEqual({
    watts: 905,
    origin: "derived",
    at: 5,
    commands: ["QPIGS", "QPIGS2"],
  });
});

test("a total the inverter sends wins", () => {
  const total = pvTotal([reading("QPIGS", 9, { pv1Power: 700 }), reading("QPIGS2", 5, { pv2Power: 600, pv3Power: 500, pvPower: 1861 })]);
  expect(total).toEqual({ watts: 1861, origin: "measured", at: 5, commands: ["QPIGS2"] });
});

test("power derived from volts and amps is called derived", () => {
  expect(pvTotal([reading("QPIGS", 5, {}, { pv1Power: 640 })])?.origin).toBe("derived");
});

test("parallel units do not count, and nothing known is no total", () => {
  expect(
    pvTotal([reading("QPGS0", 5, { unitExists: true, pv1Power: 700 }), reading("QMOD", 5, { operatingMode: "line" })]),
  ).toBeUndefined();
});

test("an input that shows volts and no watts makes the total unknown", () => {
  expect(pvTotal([reading("QPIGS", 5, { pv1Power: 700 }), reading("QPIGS2", 5, { pv2Voltage: 110.3, pv2Current: 5 })])).toBeUndefined();
});
