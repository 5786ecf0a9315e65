import { expect, test } from "vitest";
import { qpigsColumns } from "./log-columns.ts";

test("every field of the longest documented QPIGS has a name, most have their unit", () => {
  const columns = qpigsColumns(21);
  expect(columns.slice(0, 9)).toEqual([
    { name: "gridVoltage", unit: "V" },
    { name: "gridFrequency", unit: "Hz" },
    { name: "outputVoltage", unit: "V" },
    { name: "outputFrequency", unit: "Hz" },
    { name: "loadApparentPower", unit: "VA" },
    { name: "loadActivePower", unit: "W" },
    { name: "loadPercent", unit: "%" },
    { name: "busVoltage", unit: "V" },
    { name: "batteryVoltage", unit: "V" },
  ]);
  expect(new Set(columns.map(({ name }) => name)).size).toBe(21);
  expect(columns.every(({ name }) => /^[A-Za-z0-9|]+$/.test(name))).toBe(true);
});

test("a field with two meanings has both names", () => {
  expect(
    qpigsColumns(21)
      .filter(({ name }) => name.includes("|"))
      .map(({ name }) => name),
  ).toEqual(["heatSinkTemperature|heatSinkRaw", "pvChargeCurrent|pv1Current"]);
});

test("an older, shorter reply has fewer columns, a newer one numbered ones behind those that are known", () => {
  expect(qpigsColumns(17)).toEqual(qpigsColumns(21).slice(0, 17));
  const known = qpigsColumns(60).findIndex(({ name }) => name.startsWith("field"));
  expect(qpigsColumns(known + 2).slice(known)).toEqual([{ name: `field${known}` }, { name: `field${known + 1}` }]);
  expect(qpigsColumns(0)).toEqual([]);
});
