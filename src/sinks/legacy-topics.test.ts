import { expect, test } from "vitest";
import { payloads } from "../../test/support/readings.ts";
import { legacyJson, legacyParallel, legacySettings, legacyStatus } from "./legacy-topics.ts";
import type { LegacyDocument } from "./legacy-topics.ts";

const parsed = (document: LegacyDocument, payload: string): unknown => JSON.parse(legacyJson(document, payload) ?? "null");
const withField = (payload: string, index: number, text: string): string => payload.split(" ").with(index, text).join(" ");

test("power/axpert has the add-on's keys and numbers", () => {
  expect(parsed(legacyParallel, payloads.QPGS0)).toEqual({
    SerialNumber: 92931905106458,
    TotalAcOutputActivePower: 713,
    TotalAcOutputApparentPower: 895,
    TotalAcOutputPercentage: 7,
    BatteryChargingCurrent: 0,
    BatteryDischargeCurrent: 0,
    TotalChargingCurrent: 0,
    GridVoltage: 232,
    GridFrequency: 50,
    OutputVoltage: 229.3,
    OutputFrequency: 50.02,
    OutputAparentPower: 412,
    OutputActivePower: 323,
    LoadPercentage: 8,
    BatteryVoltage: 52.2,
    BatteryCapacity: 30,
    PvInputVoltage: 299.6,
    OutputMode: 1,
    ChargerSourcePriority: 1,
    MaxChargeCurrent: 60,
    MaxChargerRange: 80,
    MaxAcChargerCurrent: 60,
    PvInputCurrentForBattery: 0,
    Gridmode: 0,
    Solarmode: 1,
  });
});

test("power/axpert{sn} has the add-on's keys and numbers", () => {
  expect(parsed(legacyStatus, payloads.QPIGS)).toEqual({
    BusVoltage: 418,
    InverterHeatsinkTemperature: 48,
    BatteryVoltageFromScc: 0,
    PvInputCurrent: 0,
    PvInputVoltage: 0,
    PvInputPower: 0,
    BatteryChargingCurrent: 0,
    BatteryDischargeCurrent: 1,
    DeviceStatus: "00010101",
  });
});

test("power/axpert_settings has the add-on's keys, numbers and texts", () => {
  expect(parsed(legacySettings, payloads.QPIRI)).toEqual({
    AcInputVoltage: 230,
    AcInputCurrent: 21.7,
    AcOutputVoltage: 230,
    AcOutputFrequency: 50,
    AcOutputCurrent: 21.7,
    AcOutputApparentPower: 5000,
    AcOutputActivePower: 5000,
    BatteryVoltage: 48,
    BatteryRechargeVoltage: 51,
    BatteryUnderVoltage: 49,
    BatteryBulkVoltage: 54.4,
    BatteryFloatVoltage: 54.4,
    BatteryType: "User",
    MaxAcChargingCurrent: 60,
    MaxChargingCurrent: 60,
    InputVoltageRange: "UPS",
    OutputSourcePriority: "solar",
    ChargerSourcePriority: "solar + utility",
    MaxParallelUnits: 9,
    MachineType: "Off Grid",
    Topology: "transformerless",
    OutputMode: "parallel output",
    BatteryRedischargeVoltage: 53,
    PvOkCondition: "As long as one unit of inverters has connect PV, parallel system will consider PV OK",
    PvPowerBalance: "PV input max power will be the sum of the max charged power and loads power",
    MaxBatteryCvChargingTime: 0,
  });
});

test("mode flags follow the mode letter", () => {
  const modes = (letter: string): unknown => parsed(legacyParallel, withField(payloads.QPGS0, 2, letter));
  expect(modes("L")).toMatchObject({ Gridmode: 1, Solarmode: 0 });
  expect(modes("B")).toMatchObject({ Gridmode: 0, Solarmode: 1 });
  expect(modes("S")).toMatchObject({ Gridmode: 0, Solarmode: 0 });
});

test("whole numbers of a decimal field keep a decimal point, those of an integer field have none", () => {
  expect(legacyJson(legacyParallel, payloads.QPGS0)).toMatch(/"GridVoltage":232\.0,"GridFrequency":50\.0,.*"LoadPercentage":8,/);
});

test("too few fields: nothing at all", () => {
  for (const [document, payload] of [
    [legacyParallel, payloads.QPGS0],
    [legacyStatus, payloads.QPIGS],
    [legacySettings, payloads.QPIRI],
  ] as const) {
    const fields = payload.split(" ");
    expect(legacyJson(document, fields.slice(0, document.minFields - 1).join(" "))).toBeUndefined();
    expect(legacyJson(document, fields.slice(0, document.minFields).join(" "))).toBeDefined();
  }
});

test("what the inverter did not send is left out", () => {
  const short = payloads.QPIRI.split(" ").slice(0, 25).join(" ");
  expect(parsed(legacySettings, short)).not.toHaveProperty("MaxBatteryCvChargingTime");
  expect(parsed(legacySettings, withField(payloads.QPIRI, 18, "-"))).not.toHaveProperty("MaxParallelUnits");
});

test("a code without a text is shown as such", () => {
  expect(parsed(legacySettings, withField(payloads.QPIRI, 21, "7"))).toMatchObject({ OutputMode: "OutputMode_invalid(7)" });
  expect(parsed(legacySettings, withField(payloads.QPIRI, 12, "constructor"))).toMatchObject({
    BatteryType: "BatteryType_invalid(constructor)",
  });
});
