import { expect, test } from "vitest";
import type { Values } from "../../model/reading.ts";
import { decodeReply } from "../decode.ts";
import { derive } from "../reading.ts";
import { findRequest } from "./dialect.ts";
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

test("a Revo that gives nothing to a load, which looks like a PI30 unit: watts and watt-hours are not amperes", () => {
  const { values } = decodeReply(findRequest("QPIGS"), {
    body: "221.0 49.9 221.0 49.9 0000 0000 000 401 50.10 002 055 0026 0120 200.0 00.10 00850 00010110 00 00 00000 010",
  }) as { values: Values };
  const all = { ...values, ...derive(values) };
  expect(all).toMatchObject({ pvChargeCurrent: 120, batteryDischargeCurrent: 850, batteryPower: 42_485 });
  expect(inWordsOf("revo", all)).toEqual({
    gridVoltage: 221,
    gridFrequency: 49.9,
    outputVoltage: 221,
    outputFrequency: 49.9,
    loadActivePower: 0,
    loadPercent: 0,
    busVoltage: 401,
    batteryVoltage: 50.1,
    batteryChargeCurrent: 2,
    batterySoc: 55,
    heatSinkTemperature: 26,
    pv1Power: 120,
    pv1Voltage: 200,
    pvEnergyOfDay: 850,
    deviceStatus: ["b4", "charging", "solarCharging"],
  });
});

test("of the ratings of a Revo only those that it has", () => {
  const { values } = decodeReply(findRequest("QPIRI"), {
    body: "230.0 23.9 230.0 50.0 23.9 5500 5500 48.0 44.0 42.0 55.3 54.3 2 60 100 0 2 3 1 01 0 0 53.0 0 1",
  }) as { values: Values };
  expect(inWordsOf("revo", values)).toEqual({
    ratedApparentPower: 5500,
    ratedActivePower: 5500,
    ratedBatteryVoltage: 48,
    batteryCutOffVoltage: 42,
    batteryBulkVoltage: 55.3,
    batteryFloatVoltage: 54.3,
    batteryType: "userDefined",
    maxChargeCurrent: 60,
  });
});

test("values without priorities are the same object", () => {
  const values = { gridVoltage: 230 };
  expect(inWordsOf("king", values)).toBe(values);
});
