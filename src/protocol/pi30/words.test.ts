import { expect, test } from "vitest";
import { inWordsOf } from "./words.ts";

test("priorities are in the words of the family, everything else is left alone", () => {
  const values = { outputSourcePriority: "solarFirst", chargerSourcePriority: "solarAndUtility", batteryType: "agm", batteryVoltage: 52 };
  expect(inWordsOf("max", values)).toEqual(values);
  expect(inWordsOf("king", values)).toEqual({ ...values, chargerSourcePriority: "loadFirstGridMayCharge" });
  expect(inWordsOf("vm2-4000", values)).toEqual({ ...values, outputSourcePriority: "sbu", chargerSourcePriority: "onlySolar" });
});

test("lists of them as well; what has no word keeps its code", () => {
  expect(inWordsOf("vm2-4000", { outputSourcePriorityByHour: ["utilityFirst", "solarFirst", "sbu"] })).toEqual({
    outputSourcePriorityByHour: ["solarFirst", "sbu", "unknown:2"],
  });
  expect(inWordsOf("max", { outputSourcePriority: "unknown:3" })).toEqual({ outputSourcePriority: "unknown:3" });
});

test("two bits of the status are called what the papers of the make call them, and nothing where they do not agree", () => {
  const values = { deviceStatus: ["sbuPriorityAdded", "loadOn", "batterySteady", "charging"] };
  for (const family of ["hs", "mks", "plus", "older", "max", "max2", "mks4", "vm4", "lv6548"])
    expect([family, inWordsOf(family, values)]).toEqual([family, values]);
  for (const family of ["king", "vm3", "mks2", "mks3", "phocos"])
    expect([family, inWordsOf(family, values)]).toEqual([family, { deviceStatus: ["pvOrGridFeedsLoad", "loadOn", "b3", "charging"] }]);
  for (const family of ["unknown", "clone", "max-twin", "vm4-twin", "vm2"])
    expect([family, inWordsOf(family, values)]).toEqual([family, { deviceStatus: ["b7", "loadOn", "b3", "charging"] }]);
  expect(inWordsOf("revo", { deviceStatus: ["b7", "charging"] })).toEqual({ deviceStatus: ["b7", "charging"] });
});

test("a split-phase unit has another status and other output modes", () => {
  const values = {
    gridVoltage: 120,
    deviceStatus: [
      "sbuPriorityAdded",
      "settingsChanged",
      "solarChargerFirmwareUpdated",
      "loadOn",
      "batterySteady",
      "charging",
      "solarCharging",
      "acCharging",
    ],
  };
  expect(inWordsOf("split-phase", values)).toEqual({
    gridVoltage: 120,
    unitStatus: [
      "solarChargerPresent",
      "acCharging",
      "solarCharging",
      "batteryOpen",
      "batteryUnderVoltage",
      "lineLost",
      "loadOn",
      "settingsChanged",
    ],
  });
  expect(inWordsOf("split-phase", { outputMode: "phase1Of2" })).toEqual({ outputMode: "parallelAt120" });
  expect(inWordsOf("split-phase", { outputMode: "phase2Of3" })).toEqual({ outputMode: "phase2Of3" });
  expect(inWordsOf("max", { outputMode: "phase1Of2" })).toEqual({ outputMode: "phase1Of2" });
});

test("the factory defaults of a Plus have the two charge currents the other way round", () => {
  const defaults = { outputVoltageSetting: 230, maxAcChargeCurrent: 60, maxChargeCurrent: 30 };
  expect(inWordsOf("plus", defaults)).toEqual({ outputVoltageSetting: 230, maxAcChargeCurrent: 30, maxChargeCurrent: 60 });
  expect(inWordsOf("mks", defaults)).toEqual(defaults);
  const settings = { ratedOutputVoltage: 230, maxAcChargeCurrent: 30, maxChargeCurrent: 60 };
  expect(inWordsOf("plus", settings)).toEqual(settings);
});

test("values without priorities are the same object", () => {
  const values = { gridVoltage: 230 };
  expect(inWordsOf("king", values)).toBe(values);
});
