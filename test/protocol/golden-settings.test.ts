import { describe, expect, test } from "vitest";
import { decodeReply } from "../../src/protocol/decode.ts";
import { findRequest } from "../../src/protocol/pi30/dialect.ts";
import { read } from "./vectors.ts";

// Every expectation below was written from the field tables of the notes, not copied from the program.

describe("QPIRI", () => {
  const maxII = {
    ratedGridVoltage: 230,
    ratedGridCurrent: 34.7,
    ratedOutputVoltage: 230,
    ratedOutputFrequency: 50,
    ratedOutputCurrent: 34.7,
    ratedApparentPower: 8000,
    ratedActivePower: 8000,
    ratedBatteryVoltage: 48,
    batteryRechargeVoltage: 51,
    batteryCutOffVoltage: 48,
    batteryBulkVoltage: 55.2,
    batteryFloatVoltage: 55,
    batteryType: "userDefined",
    maxAcChargeCurrent: 10,
    maxChargeCurrent: 40,
    inputVoltageRange: "appliance",
    outputSourcePriority: "sbu",
    chargerSourcePriority: "onlySolar",
    maxParallelUnits: 9,
    machineType: "offGrid",
    topology: "transformerless",
    outputMode: "single",
    batteryRedischargeVoltage: 52,
    pvOkCondition: "allUnitsWithPv",
    pvPowerBalance: "chargeAndLoad",
    maxCvChargeTime: 480,
    operationLogic: "automatic",
    maxDischargeCurrent: 140,
  };

  test("28 fields (MAX II)", () => {
    expect(read("QPIRI", "230.0 34.7")).toEqual({ values: maxII, tail: [] });
  });
  test("28 fields, 11 kW", () => {
    const { values } = read("QPIRI", "11000 11000");
    expect(values).toMatchObject({
      ratedApparentPower: 11_000,
      ratedActivePower: 11_000,
      ratedGridCurrent: 47.8,
      maxChargeCurrent: 100,
      inputVoltageRange: "ups",
    });
    expect(values).toMatchObject({
      chargerSourcePriority: "solarFirst",
      pvOkCondition: "oneUnitWithPv",
      maxCvChargeTime: 480,
      maxDischargeCurrent: 0,
    });
  });
  test("27 fields (LV)", () => {
    const { values, tail } = read("QPIRI", "120.0 25.0");
    expect(values).toMatchObject({
      ratedOutputFrequency: 60,
      outputMode: "phase2Of2At120",
      maxCvChargeTime: 0,
      operationLogic: "automatic",
      chargerSourcePriority: "utilityFirst",
    });
    expect(values).not.toHaveProperty("maxDischargeCurrent");
    expect(tail).toEqual([]);
  });
  test("26 fields (KING)", () => {
    const { values, tail } = read("QPIRI", "51.0 49.0 54.4");
    expect(values).toMatchObject({
      maxAcChargeCurrent: 60,
      outputSourcePriority: "solarFirst",
      chargerSourcePriority: "solarAndUtility",
      outputMode: "parallel",
      maxCvChargeTime: 0,
    });
    expect(values).not.toHaveProperty("operationLogic");
    expect(tail).toEqual([]);
  });
  test("25 fields", () => {
    const { values, tail } = read("QPIRI", "6 01 0 0 54.0 0 1$");
    expect(Object.keys(values)).toHaveLength(25);
    expect(values).toMatchObject({
      batteryType: "agm",
      ratedActivePower: 4000,
      batteryRechargeVoltage: 46,
      batteryCutOffVoltage: 42,
      batteryBulkVoltage: 56.4,
      maxParallelUnits: 6,
    });
    expect(values).toMatchObject({ outputSourcePriority: "utilityFirst", pvPowerBalance: "chargeAndLoad" });
    expect(tail).toEqual([]);
  });
  test("25 fields, no parallel option", () => {
    const { values } = read("QPIRI", " - ");
    expect(values).not.toHaveProperty("maxParallelUnits");
    expect(values).toMatchObject({
      ratedBatteryVoltage: 24,
      maxAcChargeCurrent: 30,
      maxChargeCurrent: 50,
      chargerSourcePriority: "solarFirst",
      topology: "transformer",
    });
    expect(values).toMatchObject({ batteryRedischargeVoltage: 26, pvPowerBalance: "limitedToChargeCurrent" });
  });
  test("25 fields, re-charge below cut-off as the unit says (SP-3200)", () => {
    expect(read("QPIRI", "220.0 14.5").values).toMatchObject({
      batteryRechargeVoltage: 22.5,
      batteryCutOffVoltage: 23.2,
      batteryRedischargeVoltage: 27.5,
    });
  });
  test("29 fields (Phocos): the last is of unknown meaning and stays in the tail", () => {
    const { values, tail } = read("QPIRI", "53.2 53.2");
    expect(values).toMatchObject({
      machineType: "gridTie",
      batteryRedischargeVoltage: 0,
      maxCvChargeTime: 60,
      operationLogic: "automatic",
      maxDischargeCurrent: 120,
    });
    expect(tail).toEqual(["54.7"]);
  });
  test("28 fields of a clone: a point in field 25 keeps all behind field 24 in the tail", () => {
    const { values, tail } = read("QPIRI", "48.0 10 48.0");
    expect(Object.keys(values)).toHaveLength(25);
    expect(values).toMatchObject({ pvOkCondition: "oneUnitWithPv", pvPowerBalance: "chargeAndLoad" });
    expect(tail).toEqual(["48.0", "10", "48.0"]);
  });
  test("an unlisted output source priority is kept by its code", () => {
    const payload = "230.0 21.7 230.0 50.0 21.7 5000 4000 48.0 46.0 42.0 56.4 54.0 0 10 010 1 3 0 6 01 0 01 54.0 0 1";
    // The papers print the output mode with two digits.
    expect(decodeReply(findRequest("QPIRI"), { body: payload })).toMatchObject({
      values: { outputSourcePriority: "unknown:3", outputMode: "parallel" },
    });
  });
});

describe("QDI", () => {
  const defaults = {
    outputVoltageSetting: 230,
    outputFrequencySetting: 50,
    maxAcChargeCurrent: 30,
    batteryCutOffVoltage: 42,
    batteryFloatVoltage: 54,
    batteryBulkVoltage: 56.4,
    batteryRechargeVoltage: 46,
    maxChargeCurrent: 60,
    inputVoltageRange: "appliance",
    outputSourcePriority: "utilityFirst",
    chargerSourcePriority: "solarAndUtility",
    batteryType: "agm",
    buzzerSilenced: false,
    powerSaving: false,
    overloadRestart: false,
    overTemperatureRestart: false,
    lcdBacklight: true,
    sourceInterruptAlarm: true,
    faultCodeRecord: false,
    overloadBypass: false,
    lcdReturnToDefault: true,
    outputMode: "single",
    batteryRedischargeVoltage: 54,
    pvOkCondition: "oneUnitWithPv",
    pvPowerBalance: "chargeAndLoad",
  };

  test("26 fields", () => {
    expect(read("QDI", "0 1 000$")).toEqual({ values: { ...defaults, maxCvChargeTime: 0 }, tail: [] });
    expect(read("QDI", "0 1 224$")).toEqual({
      values: { ...defaults, batteryCutOffVoltage: 44, faultCodeRecord: true, maxCvChargeTime: 224 },
      tail: [],
    });
  });
  test("25 fields (24 V VM II)", () => {
    expect(read("QDI", "21.0 27.0")).toEqual({
      values: {
        ...defaults,
        batteryCutOffVoltage: 21,
        batteryFloatVoltage: 27,
        batteryBulkVoltage: 28.2,
        batteryRechargeVoltage: 23,
        maxChargeCurrent: 50,
        faultCodeRecord: true,
        batteryRedischargeVoltage: 27,
      },
      tail: [],
    });
  });
  test("27 fields: one digit is the operation logic", () => {
    expect(read("QDI", "0 1 000 2")).toEqual({ values: { ...defaults, maxCvChargeTime: 0, operationLogic: "eco" }, tail: [] });
  });
  test("27 fields: three digits are the discharge limit", () => {
    expect(read("QDI", "224 120").values).toMatchObject({ maxCvChargeTime: 224, maxDischargeCurrent: 120 });
    expect(read("QDI", "224 120").values).not.toHaveProperty("operationLogic");
  });
  test("29 fields (D15)", () => {
    const { values, tail } = read("QDI", "0060 40.8");
    expect(values).toEqual({
      ...defaults,
      maxAcChargeCurrent: 60,
      batteryCutOffVoltage: 40.8,
      maxChargeCurrent: 30,
      chargerSourcePriority: "utilityFirst",
      chargingStages: "automatic",
      dataLogPopUp: false,
      maxSolarChargeCurrent: 40,
      maxCvChargeTime: 255,
    });
    expect(tail).toEqual([]);
  });
});

const option: Readonly<Record<string, string>> = {
  a: "buzzer",
  b: "overloadBypass",
  d: "solarFeedToGrid",
  g: "unknown:g",
  j: "powerSaving",
  k: "lcdReturnToDefault",
  l: "dataLogPopUp",
  n: "unknown:n",
  u: "overloadRestart",
  v: "overTemperatureRestart",
  x: "lcdBacklight",
  y: "sourceInterruptAlarm",
  z: "faultCodeRecord",
};
test.each([
  ["EbkuzDajvxy", "bkuz", "ajvxy"],
  ["EkuvxyzDabdjln", "kuvxyz", "abdjln"],
  ["EzDabjkuvxy", "z", "abjkuvxy"],
  ["EakxyDbjuvz", "akxy", "bjuvz"],
  ["EbxDajkuvyz", "bx", "ajkuvyz"],
  ["EauxyzlDbjkvgd", "auxyzl", "bjkvgd"],
  ["EabuvxyzgldDjk", "abuvxyzgld", "jk"],
  ["EbuvyzDajkx", "buvyz", "ajkx"],
  ["EDab", "", "ab"],
  ["EabD", "ab", ""],
  ["DabEz", "z", "ab"],
  ["Eabz", "abz", ""],
])("QFLAG %s", (payload, on, off) => {
  const names = (letters: string): (string | undefined)[] => Array.from(letters, (letter) => option[letter]);
  expect(decodeReply(findRequest("QFLAG"), { body: payload })).toMatchObject({
    values: { enabledFlags: names(on), disabledFlags: names(off) },
  });
});
test("QFLAG takes no operating mode and no capitals", () => {
  for (const body of ["E", "D", "EABDC", "Eab Dc", "ab"]) {
    expect(() => decodeReply(findRequest("QFLAG"), { body })).toThrow(expect.objectContaining({ code: "reply-foreign" }));
  }
});

test.each([
  ["QPI", "PI30", { protocolId: "PI30" }],
  ["QID", "92931905106463", { serialNumber: "92931905106463" }],
  ["QID", "9293333010501", { serialNumber: "9293333010501" }],
  // Length 14, then filler.
  ["QSID", "1492932105105335005535", { serialNumber: "92932105105335" }],
  ["QVFW", "VERFW:00072.70", { firmwareVersion: "00072.70" }],
  ["QVFW", "VERFW: 00071.71", { firmwareVersion: "00071.71" }],
  ["QMN", "MKS2-8000", { modelName: "MKS2-8000" }],
  ["QMN", "VMII-4000", { modelName: "VMII-4000" }],
  ["QGMN", "044", { modelNumber: "044" }],
  ["QMCHGCR", "010 020 030 040 050 060 070 080", { selectableChargeCurrents: [10, 20, 30, 40, 50, 60, 70, 80] }],
  ["QMUCHGCR", "002 010 020 030 040 050 060 070 080 090 100", { selectableAcChargeCurrents: [2, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100] }],
])("%s %s", (command, body, values) => {
  expect(decodeReply(findRequest(command), { body })).toEqual({ kind: "data", command, payload: body, values, tail: [] });
});
