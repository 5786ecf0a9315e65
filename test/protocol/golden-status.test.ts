import { describe, expect, test } from "vitest";
import { decodeReply } from "../../src/protocol/decode.ts";
import { findRequest } from "../../src/protocol/pi30/dialect.ts";
import { read } from "./vectors.ts";

// Every expectation below was written from the field tables of the notes, not copied from the program.

describe("QPIGS", () => {
  const maxII = {
    gridVoltage: 222.6,
    gridFrequency: 49.9,
    outputVoltage: 230.1,
    outputFrequency: 50,
    loadApparentPower: 551,
    loadActivePower: 499,
    loadPercent: 6,
    busVoltage: 398,
    batteryVoltage: 54.3,
    batteryChargeCurrent: 0,
    batterySoc: 61,
    heatSinkTemperature: 39,
    pv1Current: 1,
    pv1Voltage: 214.4,
    scc1BatteryVoltage: 0,
    batteryDischargeCurrent: 0,
    deviceStatus: ["loadOn", "charging", "solarCharging"],
    fanOffsetVoltage: 0,
    eepromVersion: "00",
    pv1Power: 226,
    chargeStatus: ["switchedOn"],
  };

  test("21 fields with the current of the PV input (MAX II)", () => {
    expect(read("QPIGS", "222.6 49.9")).toEqual({ values: maxII, tail: [] });
  });

  test("21 fields with the current into the battery (KING)", () => {
    expect(read("QPIGS", "233.8 49.8")).toEqual({
      values: {
        gridVoltage: 233.8,
        gridFrequency: 49.8,
        outputVoltage: 230.2,
        outputFrequency: 49.8,
        loadApparentPower: 277,
        loadActivePower: 250,
        loadPercent: 5,
        busVoltage: 363,
        batteryVoltage: 52,
        batteryChargeCurrent: 0,
        batterySoc: 28,
        heatSinkTemperature: 45,
        pvChargeCurrent: 0,
        pv1Voltage: 289.6,
        scc1BatteryVoltage: 0,
        batteryDischargeCurrent: 1,
        deviceStatus: ["loadOn", "solarCharging"],
        fanOffsetVoltage: 0,
        eepromVersion: "00",
        pv1Power: 241,
        chargeStatus: ["switchedOn"],
      },
      tail: [],
    });
  });

  test("grid absent is a measured 0", () => {
    expect(read("QPIGS", "000.0 00.0 230.0").values).toMatchObject({
      gridVoltage: 0,
      gridFrequency: 0,
      batteryVoltage: 57.5,
      batteryChargeCurrent: 12,
      batterySoc: 100,
      pvChargeCurrent: 14,
      pv1Voltage: 103.8,
      scc1BatteryVoltage: 57.45,
      deviceStatus: ["solarChargerFirmwareUpdated", "loadOn", "charging", "solarCharging"],
      pv1Power: 856,
    });
  });

  test("24 fields (VM IV Twin)", () => {
    const { values, tail } = read("QPIGS", "448 29.00");
    expect(tail).toEqual([]);
    expect(values).toMatchObject({
      batteryVoltage: 29,
      batteryDischargeCurrent: 7,
      pv1Current: 2.3,
      pv1Power: 647,
      deviceStatus: ["loadOn"],
    });
    expect(values).toMatchObject({
      chargeStatus: ["switchedOn", "dustProofKit"],
      solarFeedToGrid: false,
      countryRegulation: "india",
      solarFeedPower: 0,
    });
    expect(values).not.toHaveProperty("gridInputCurrent");
  });

  test("24 fields (Phocos)", () => {
    expect(read("QPIGS", "367 49.60").values).toMatchObject({
      deviceStatus: ["loadOn", "charging", "acCharging"],
      countryRegulation: "germany",
      batteryChargeCurrent: 2,
      pv1Power: 0,
    });
  });

  test("powers of five digits", () => {
    expect(read("QPIGS", "01012 00969").values).toMatchObject({
      loadApparentPower: 1012,
      loadActivePower: 969,
      loadPercent: 9,
      pv1Voltage: 268.1,
      pv1Power: 879,
    });
  });

  test("17 fields, a raw heat sink sensor and no PV power", () => {
    const { values, tail } = read("QPIGS", "009 380 26.40");
    expect(tail).toEqual([]);
    expect(values).toEqual({
      gridVoltage: 230.5,
      gridFrequency: 50,
      outputVoltage: 230.5,
      outputFrequency: 50,
      loadApparentPower: 460,
      loadActivePower: 414,
      loadPercent: 9,
      busVoltage: 380,
      batteryVoltage: 26.4,
      batteryChargeCurrent: 5,
      batterySoc: 85,
      heatSinkRaw: 620,
      pvChargeCurrent: 4,
      pv1Voltage: 65.2,
      scc1BatteryVoltage: 26.38,
      batteryDischargeCurrent: 0,
      deviceStatus: ["loadOn", "charging", "solarCharging"],
    });
  });

  test("25 fields", () => {
    expect(read("QPIGS", "405 53.10").values).toMatchObject({ pv1Current: 5.5, pv1Power: 1705, solarFeedPower: 0, gridInputCurrent: 4.8 });
  });

  test("a 26th field is kept as it came", () => {
    const reply = decodeReply(findRequest("QPIGS"), {
      body: "231.0 50.0 230.0 50.0 1200 1100 014 405 53.10 010 060 0041 05.5 310.0 00.00 00000 00010110 00 00 01705 010 0 00 0000 04.8 abc 7",
    });
    expect(reply).toMatchObject({ kind: "data", tail: ["abc", "7"], values: { gridInputCurrent: 4.8 } });
  });

  test("16 fields are the fewest", () => {
    const payload = "230.5 50.0 230.5 50.0 0460 0414 009 380 26.40 005 085 0620 0004 065.2 26.38 00000";
    expect(decodeReply(findRequest("QPIGS"), { body: payload })).toMatchObject({ values: { batteryDischargeCurrent: 0 } });
    expect(() => decodeReply(findRequest("QPIGS"), { body: payload.slice(0, -6) })).toThrow(
      expect.objectContaining({ code: "reply-foreign" }),
    );
  });
});

describe("QPIGS2", () => {
  test("A: 3 fields and a space at the end (MAX)", () => {
    expect(read("QPIGS2", "01.0 202.0")).toEqual({ values: { pv2Current: 1, pv2Voltage: 202, pv2Power: 205 }, tail: [] });
  });
  test("B: 12 fields (D15)", () => {
    expect(read("QPIGS2", "0012 102.5")).toEqual({
      values: {
        pv2Current: 12,
        pv2Voltage: 102.5,
        scc2BatteryVoltage: 53.2,
        pv2Power: 638,
        solarChargerStatus: ["scc2Charging", "scc3Charging"],
        acChargeCurrent: 10,
        acChargePower: 532,
        pv3Current: 11,
        pv3Voltage: 101.8,
        scc3BatteryVoltage: 53.2,
        pv3Power: 585,
        pvPower: 1861,
      },
      tail: [],
    });
  });
  test("C: 11 fields (PI41)", () => {
    expect(read("QPIGS2", "120.1 60.0")).toEqual({
      values: {
        l2GridVoltage: 120.1,
        l2GridFrequency: 60,
        l2OutputVoltage: 120.1,
        l2OutputFrequency: 60,
        l2LoadApparentPower: 330,
        l2LoadActivePower: 270,
        l2LoadPercent: 13,
        pv2Current: 5,
        pv2Voltage: 110.3,
        l2BatteryVoltage: 53.1,
        l2Status: ["scc2Present", "acCharging", "scc2Charging", "loadOn"],
      },
      tail: [],
    });
  });
});

describe("QPGSn", () => {
  const king = {
    unitExists: true,
    serialNumber: "92931905106458",
    operatingMode: "battery",
    faultCode: "00",
    gridVoltage: 232,
    gridFrequency: 50,
    outputVoltage: 229.3,
    outputFrequency: 50.02,
    loadApparentPower: 412,
    loadActivePower: 323,
    loadPercent: 8,
    batteryVoltage: 52.2,
    batteryChargeCurrent: 0,
    batterySoc: 30,
    pv1Voltage: 299.6,
    totalChargeCurrent: 0,
    totalLoadApparentPower: 895,
    totalLoadActivePower: 713,
    totalLoadPercent: 7,
    unitStatus: ["solarChargerPresent", "solarCharging", "loadOn"],
    outputMode: "parallel",
    chargerSourcePriority: "solarFirst",
    maxChargeCurrent: 60,
    maxChargeCurrentLimit: 80,
    maxAcChargeCurrent: 60,
    pv1Current: 0,
    batteryDischargeCurrent: 0,
  };

  test("27 fields (KING)", () => {
    expect(read("QPGS0", "92931905106458")).toEqual({ values: king, tail: [] });
  });
  test("no such unit", () => {
    expect(read("QPGS2", "00000000000000").values).toMatchObject({
      unitExists: false,
      serialNumber: "00000000000000",
      operatingMode: "powerOn",
      totalLoadActivePower: 530,
      unitStatus: [],
    });
  });
  test("29 fields (a single MAX says that it does not exist)", () => {
    const { values, tail } = read("QPGS0", "92932105105315");
    expect(values).toMatchObject({
      unitExists: false,
      loadApparentPower: 989,
      loadActivePower: 907,
      loadPercent: 12,
      batteryChargeCurrent: 9,
      batterySoc: 90,
      totalLoadPercent: 11,
    });
    expect(values).toMatchObject({
      unitStatus: ["solarChargerPresent", "solarCharging", "lineLost", "loadOn"],
      outputMode: "single",
      chargerSourcePriority: "solarFirst",
    });
    expect(values).toMatchObject({
      maxChargeCurrent: 100,
      maxChargeCurrentLimit: 120,
      maxAcChargeCurrent: 30,
      pv1Current: 2,
      pv2Voltage: 275.3,
      pv2Current: 2,
    });
    expect(tail).toEqual([]);
  });
  test("29 fields (LV, 180°)", () => {
    expect(read("QPGS0", "92912102100033").values).toMatchObject({
      outputFrequency: 59.99,
      outputMode: "phase2Of2At180",
      unitStatus: ["lineLost", "loadOn"],
      pv2Voltage: 0,
      pv2Current: 0,
    });
  });
  test("27 fields (PI41)", () => {
    expect(read("QPGS0", "92911906100045").values).toMatchObject({
      operatingMode: "line",
      batteryVoltage: 56.1,
      batteryChargeCurrent: 4,
      unitStatus: ["acCharging", "loadOn"],
      maxChargeCurrentLimit: 220,
    });
  });
  test("battery conditions of b4 and b3", () => {
    const status = (bits: string): unknown => {
      const body = `1 92931905106458 B 00 232.0 50.00 229.3 50.02 0412 0323 008 52.2 000 030 299.6 000 00895 00713 007 ${bits} 1 1 060 080 60 00 000`;
      const reply = decodeReply(findRequest("QPGS0"), { body });
      return reply.kind === "data" ? reply.values["unitStatus"] : undefined;
    };
    expect(status("00001000")).toEqual(["batteryUnderVoltage"]);
    expect(status("00010000")).toEqual(["batteryOpen"]);
    expect(status("00000001")).toEqual(["settingsChanged"]);
  });
});

test.each([
  ["P", "powerOn"],
  ["S", "standby"],
  ["L", "line"],
  ["B", "battery"],
  ["F", "fault"],
  ["H", "powerSaving"],
  ["D", "shutdown"],
  ["C", "charge"],
  ["Y", "bypass"],
  ["E", "eco"],
])("QMOD %s is %s", (letter, mode) => {
  expect(read("QMOD", letter)).toEqual({ values: { operatingMode: mode }, tail: [] });
});
test("QMOD keeps another letter and takes no digit", () => {
  expect(decodeReply(findRequest("QMOD"), { body: "G" })).toMatchObject({ values: { operatingMode: "unknown:G" } });
  expect(() => decodeReply(findRequest("QMOD"), { body: "1" })).toThrow(expect.objectContaining({ code: "reply-malformed" }));
});

test.each([
  ["00000100000000000000000000000000", ["gridFailed"]],
  ["00000100000000001000000000000000", ["gridFailed", "overload"]],
  ["01000000000100000000000000000000", ["inverterFault", "batteryVoltageHigh"]],
  ["00000010000100000000000000000000", ["outputShort", "batteryVoltageHigh"]],
  ["000000000000000000000000000000000000", []],
  ["100000000000000000000000000000000000", ["pvLoss"]],
  // Phocos: position 31 is a steady 1 in normal operation and no warning.
  ["100000000000000000000000000000010000", ["pvLoss"]],
  // Positions 32 and 33 are the fault code 07.
  ["010000000000000010000000000000000700", ["inverterFault", "overload"]],
  ["00000000000000000000000000000010000000", ["pv2VoltageHigh"]],
  ["000000000000000000000000000000000011", ["highAcInputAtSoftStart", "batteryEqualizing"]],
])("QPIWS %s", (bits, warnings) => {
  expect(decodeReply(findRequest("QPIWS"), { body: bits })).toMatchObject({ values: { warnings, warningBits: bits } });
});
test.each(["0".repeat(31), "0".repeat(41), `${"0".repeat(31)}7`, `${"0".repeat(37)}2`])("QPIWS %s is no reply to it", (bits) => {
  expect(() => decodeReply(findRequest("QPIWS"), { body: bits })).toThrow(expect.objectContaining({ code: "reply-foreign" }));
});

test("a malformed field names itself, its place and what was expected", () => {
  const body = "222.6 49.9 230.1 50.0 0551 0499 006 398 54,30 000 061 0039 01.0 214.4 00.00 00000 00010110 00 00 00226 010";
  expect(() => decodeReply(findRequest("QPIGS"), { body })).toThrow(
    expect.objectContaining({
      code: "reply-malformed",
      message: 'QPIGS field 8: expected batteryVoltage as NN.NN from 0 to 99.99 V, got "54,30"',
      context: expect.objectContaining({ command: "QPIGS", index: 8, field: "batteryVoltage", got: "54,30" }) as object,
    }),
  );
});
test("a number outside the metric's range is malformed, not a value", () => {
  const body = "622.6 49.9 230.1 50.0 0551 0499 006 398 54.30 000 061 0039 01.0 214.4 00.00 00000 00010110 00 00 00226 010";
  expect(() => decodeReply(findRequest("QPIGS"), { body })).toThrow(/field 0: expected gridVoltage as NNN\.N from 0 to 500 V/);
});
