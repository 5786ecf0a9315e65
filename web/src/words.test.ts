import { expect, test } from "vitest";
import { directionOf, formatAge, formatAgo, formatFreshAge, formatNumber, formatPowerBriefly } from "./format.ts";
import { toWords } from "./words.ts";

test.each([
  ["utilityFirst", "Utility first"],
  ["sbu", "SBU"],
  ["pv2VoltageHigh", "PV2 voltage high"],
  ["dcVoltageOnOutput", "DC voltage on output"],
  ["phase1Of3", "Phase 1 of 3"],
  ["phase2Of2At120", "Phase 2 of 2 at 120"],
  ["highAcInputAtSoftStart", "High AC input at soft start"],
  ["lcdBacklight", "LCD backlight"],
  ["mppt2OverloadWarning", "MPPT2 overload warning"],
  ["position31", "Position 31"],
  ["b7", "b7"],
  ["unknown:q", "Unknown: q"],
])("%s reads as %s", (name, words) => {
  expect(toWords(name)).toBe(words);
});

test.each([
  [-50, "0 s"],
  [3_900, "3 s"],
  [59_999, "59 s"],
  [120_000, "2 min"],
  [3_600_000, "1 h"],
  [3_900_000, "1 h 5 min"],
  [3 * 86_400_000, "3 d"],
])("an age of %i ms is %s", (ms, text) => {
  expect(formatAge(ms)).toBe(text);
});

test("the age of a live value does not flicker between 0 and 1", () => {
  expect([0, 1_999, 2_000].map(formatFreshAge)).toEqual(["now", "now", "2 s"]);
  expect([-50, 1_999, 125_000].map(formatAgo)).toEqual(["just now", "just now", "2 min ago"]);
});

test("numbers have the metric's digits, a true minus and no minus zero", () => {
  expect(formatNumber(52.4, 2)).toBe("52.40");
  expect(formatNumber(-419, 0)).toBe("\u2212419");
  expect(formatNumber(-0.2, 0)).toBe("0");
  expect(formatPowerBriefly(823)).toBe("823 W");
  expect(formatPowerBriefly(1240)).toBe("1.2 kW");
});

test("signs are told in words", () => {
  const battery = { key: "batteryPower", label: "Battery power", group: "battery", kind: "instant", positive: "discharge" } as const;
  expect(directionOf(battery, 10)).toBe("discharging");
  expect(directionOf(battery, -10)).toBe("charging");
  expect(directionOf(battery, 0)).toBeUndefined();
});
