import { describe, expect, test } from "vitest";
import { decodeReply } from "../../src/protocol/decode.ts";
import { encodeReply } from "../../src/protocol/encode.ts";
import { findRequest } from "../../src/protocol/pi30/dialect.ts";
import { pi41 } from "../../src/protocol/pi30/pi41.ts";
import { dataVectors, read } from "./vectors.ts";

// Every expectation below was written from the field tables of the notes, not copied from the program.

describe("versions", () => {
  test.each([
    ["QVFW2", "VERFW2:00000.00", {}],
    ["QVFW3", "VERFW3:00012.03", { scc2FirmwareVersion: "00012.03" }],
    ["QVFW3", "VERFW:00002.40", { panelFirmwareVersion: "00002.40" }],
    ["QVFW4", "VERFW4:00000.00", {}],
    ["VERFW:", "VERFW:00002.40", { bluetoothFirmwareVersion: "00002.40" }],
  ])("%s %s", (command, payload, values) => {
    expect(read(command, payload).values).toEqual(values);
  });
  test("a space behind the colon is no part of it", () => {
    expect(decodeReply(findRequest("QVFW2"), { body: "VERFW2: 00071.70" })).toMatchObject({
      values: { secondFirmwareVersion: "00071.70" },
    });
  });
});

describe("short ones", () => {
  test.each([
    ["QBOOT", "0", { bootLoader: false }],
    ["QBOOT", "1", { bootLoader: true }],
    ["QOPM", "01", { outputMode: "parallel" }],
    ["QOPM", "00", { outputMode: "single" }],
    ["QCST", "02", { chargingStages: "threeStage" }],
    ["QCVT", "255", { maxCvChargeTime: 255 }],
    ["QBATCD", "111", { batteryControl: "allowed" }],
    ["QBATCD", "000", { batteryControl: "cleared" }],
    ["QWFS", "1", { wifiConnected: true }],
    ["QBT", "02", { batteryType: "userDefined" }],
    ["QGR", "00", { inputVoltageRange: "appliance" }],
    ["QBV", "25.6 095 ", { batteryVoltage: 25.6, batterySoc: 95 }],
    ["QT", "20210726122606", { unitClock: "2021-07-26T12:26:06" }],
    ["QMSCHGCR", "010 020 030 040", { selectableSolarChargeCurrents: [10, 20, 30, 40] }],
  ])("%s %s", (command, payload, values) => {
    expect(decodeReply(findRequest(command), { body: payload })).toMatchObject({ kind: "data", values, tail: [] });
  });
  test.each(["20210229120000", "20211301120000", "20210726240000", "20210726126000", "19991231235959"])("%s is no time", (payload) => {
    expect(() => decodeReply(findRequest("QT"), { body: payload })).toThrow(expect.objectContaining({ code: "reply-malformed" }));
  });
});

describe("QBEQI", () => {
  test("captured; what no paper names keeps its number", () => {
    expect(read("QBEQI", "1 030 030")).toEqual({
      values: {
        equalizationEnabled: true,
        equalizationTime: 30,
        equalizationPeriod: 30,
        equalizationMaxCurrent: 80,
        field4: "021",
        equalizationVoltage: 55.4,
        field6: "224",
        equalizationTimeout: 30,
        equalizationActive: false,
        equalizationElapsed: 234,
      },
      tail: [],
    });
  });
  test("24 V", () => {
    expect(read("QBEQI", "0 060 030").values).toMatchObject({
      equalizationEnabled: false,
      equalizationVoltage: 29.2,
      equalizationTimeout: 120,
    });
  });
});

describe("QBMS", () => {
  test("10 fields", () => {
    expect(read("QBMS", "0 100 0").values).toEqual({
      bmsConnected: true,
      bmsSoc: 100,
      bmsForcesAcCharging: false,
      bmsStopsDischarging: false,
      bmsStopsCharging: true,
      bmsChargeVoltage: 53.2,
      bmsFloatVoltage: 53.2,
      bmsCutOffVoltage: 45,
      bmsMaxChargeCurrent: 0,
      bmsMaxDischargeCurrent: 30,
    });
  });
  test("13 fields that no paper explains are kept as they come; a bare ACK means that there is nothing", () => {
    const body = "0001 100 0 0532 00 1 0450 0000 0030 0 0 0000 0000";
    expect(decodeReply(findRequest("QBMS"), { body })).toMatchObject({ values: {}, tail: body.split(" ") });
    expect(decodeReply(findRequest("QBMS"), { body: "ACK" })).toEqual({ kind: "ack" });
  });
});

describe("Q1", () => {
  const captured = {
    absorbTimeLeft: 0,
    floatTimeLeft: 0,
    solarChargerConnected: true,
    solarChargerAllowed: true,
    averageChargeCurrent: 0,
    solarChargerTemperature: 59,
    inverterTemperature: 45,
    batteryStageTemperature: 53,
    transformerTemperature: 68,
    parallelRole: "new",
    fanLocked: false,
    field11: "000",
    fanSpeed: 40,
    solarChargingPower: 580,
    field14: "0000",
    synchronisationFrequency: 50,
    chargeStage: "float",
  };
  test("17 fields", () => {
    expect(read("Q1", "059 045 053")).toEqual({ values: captured, tail: [] });
    expect(read("Q1", "07288").values).toMatchObject({
      absorbTimeLeft: 7288,
      floatTimeLeft: 1,
      solarChargerConnected: false,
      chargeStage: "none",
    });
  });
  test("18 fields (VMII-4000) in another order", () => {
    expect(read("Q1", "030 5472").values).toMatchObject({
      field0: "030",
      field1: "5472",
      absorbTimeLeft: 0,
      solarChargerConnected: true,
      solarChargerAllowed: true,
      field8: "029",
      heatSinkTemperature: 41,
      fanLocked: false,
      solarChargingPower: 0,
      chargeStage: "none",
    });
  });
  test("27 fields (Phocos): those of QBEQI behind it", () => {
    expect(read("Q1", "00001 00006").values).toMatchObject({
      floatTimeLeft: 6,
      parallelRole: "master",
      fanSpeed: 30,
      chargeStage: "bulk",
      equalizationEnabled: true,
      equalizationTime: 120,
      field21: "000",
      equalizationVoltage: 59.2,
      field23: "000",
      equalizationTimeout: 180,
      equalizationElapsed: 742,
    });
  });
  test.each([13, 22])("%d fields are kept as they come", (count) => {
    const texts = Array.from({ length: count }, (_, index) => (index < 2 ? "00000" : "00"));
    expect(decodeReply(findRequest("Q1"), { body: texts.join(" ") })).toMatchObject({ values: {}, tail: texts });
  });
});

test("QDOP", () => {
  expect(read("QDOP", "1 3 0 0").values).toEqual({
    secondOutputOn: true,
    secondOutputPlan: "maybeOn",
    secondOutputLink: "normal",
    field3: "0",
    secondOutputCurrent: 2.5,
    secondOutputOffVoltage: 44,
    secondOutputOffTime: 999,
    secondOutputCurrentLimit: 20,
    batteryRechargeSoc: 50,
    batteryRedischargeSoc: 90,
    batteryCutOffSoc: 20,
    secondOutputOffSoc: 30,
    secondOutputOnHour: 8,
    secondOutputOffHour: 18,
  });
});

test("QLED: colours with and without spaces between them", () => {
  const values = {
    ledEnabled: true,
    ledSpeed: "medium",
    ledEffect: "2",
    ledBrightness: 5,
    ledPresentation: "3",
    ledColours: ["148000211", "255255255", "000255255"],
  };
  expect(read("QLED", "148000211255").values).toEqual(values);
  expect(decodeReply(findRequest("QLED"), { body: "1 1 2 5 3 148000211 255255255 000255255" })).toMatchObject({ values });
});

describe("hours of the priorities", () => {
  test("QOPPT and QCHPT", () => {
    expect(read("QOPPT", "2 2 2").values).toEqual({
      outputSourcePriorityByHour: Array(24).fill("sbu"),
      outputSourcePriorityNow: "sbu",
      outputSourcePriorityOrder: ["utilityFirst", "sbu", "solarFirst"],
    });
    expect(read("QCHPT", "3 3 3").values).toEqual({
      chargerSourcePriorityByHour: Array(24).fill("onlySolar"),
      chargerSourcePriorityNow: "onlySolar",
      chargerSourcePriorityOrder: ["utilityFirst", "utilityFirst", "utilityFirst"],
    });
  });
  test("without what newer papers add", () => {
    const body = Array.from({ length: 24 }, (_, hour) => (hour < 6 ? "0" : "1")).join(" ");
    const reply = decodeReply(findRequest("QOPPT"), { body });
    expect(reply).toMatchObject({ kind: "data" });
    const { values } = reply as Extract<typeof reply, { kind: "data" }>;
    expect(Object.keys(values)).toEqual(["outputSourcePriorityByHour"]);
    expect(encodeReply(findRequest("QOPPT").query, values)).toBe(body);
  });
  test("QOPCHT", () => {
    expect(read("QOPCHT", "2 00").values).toMatchObject({
      outputSourcePriorityNow: "sbu",
      sbuFromHour: 0,
      sbuToHour: 23,
      chargerSourcePriorityNow: "onlySolar",
      chargeOnlySolarToHour: 23,
      outputSourcePriorityOrder: ["sbu", "solarFirst", "utilityFirst"],
      chargerSourcePriorityOrder: ["onlySolar", "solarAndUtility", "solarFirst"],
    });
  });
});

describe("parallel units", () => {
  test("QP2GSn, 9 fields (D15)", () => {
    expect(read("QP2GS0", "1 00850").values).toEqual({
      unitExists: true,
      pv1Power: 850,
      pv2Voltage: 102.5,
      pv2Current: 12,
      pv2Power: 638,
      pv3Voltage: 101.8,
      pv3Current: 11,
      pv3Power: 585,
      solarChargerStatus: ["scc2Present", "scc2Charging", "scc3Present", "scc3Charging"],
    });
  });
  test("QP2GSn, 17 fields (PI41): the second phase, there for any number but 0", () => {
    expect(read("QP2GS1", "11 9291").values).toMatchObject({
      unitExists: true,
      serialNumber: "92911906100045",
      l2OperatingMode: "line",
      l2FaultCode: "00",
      l2GridVoltage: 124.2,
      l2GridFrequency: 59.98,
      l2LoadApparentPower: 149,
      l2LoadActivePower: 130,
      l2BatteryVoltage: 56.1,
      l2BatterySoc: 100,
      pv2Voltage: 0,
      l2Status: ["acCharging", "loadOn"],
    });
  });
  test("Q2PGSn", () => {
    expect(read("Q2PGS0", "1 1250").values).toEqual({ unitExists: true, pvPower: 1250, solarFeedToGrid: true, solarFeedPower: 430 });
  });
});

describe("Revo", () => {
  test.each([
    ["0300", "00850", { pv1Power: 300, pvEnergyOfDay: 850 }],
    ["0000", "01500", { pv1Power: 0, pvEnergyOfDay: 1500 }],
  ])("QPIGS without a load: %s W from the sun, %s Wh today", (watts, energy, values) => {
    const body = `221.0 49.9 221.0 49.9 0000 0000 000 401 50.10 000 000 0026 ${watts} 200.0 00.10 ${energy} 00010000 00 00 00000 010`;
    const reply = decodeReply(findRequest("QPIGS"), { body });
    expect(reply).toMatchObject({ kind: "data", values });
    expect(reply).not.toHaveProperty("values.batteryDischargeCurrent");
  });
  test("its QPIGS is told by watts without volt-amperes, and read with its own meaning", () => {
    const { values } = read("QPIGS", "221.0 49.9");
    expect(values).toMatchObject({
      gridVoltage: 221,
      loadActivePower: 707,
      loadPercent: 12,
      pv1Power: 0,
      pvEnergyOfDay: 0,
      field4: "0000",
    });
    for (const name of ["loadApparentPower", "pvChargeCurrent", "pv1Current", "batteryDischargeCurrent", "eepromVersion"])
      expect(values).not.toHaveProperty(name);
  });
  test("a PI30 unit without load is not taken for one", () => {
    const body = "230.0 50.0 230.0 50.0 0000 0000 000 400 52.00 000 080 0030 0000 000.0 00.00 00000 00010000 00 00 00000 010";
    expect(decodeReply(findRequest("QPIGS"), { body })).toMatchObject({ values: { loadApparentPower: 0, batteryDischargeCurrent: 0 } });
  });
  test("QLITH0", () => {
    expect(read("QLITH0", "052.5 000.0").values).toMatchObject({
      bmsVoltage: 52.5,
      bmsTemperature: 32,
      bmsSoc: 36,
      bmsStateOfHealth: 0,
      bmsMaxChargeCurrent: 70,
      bmsChargeVoltage: 57,
      bmsFault: "none",
      bmsWarning: "overCurrent",
    });
  });
});

describe("what is kept as it comes", () => {
  test.each(["QFS", "QWS"])("%s", (command) => {
    const { payload } = dataVectors.find((vector) => vector.command === command)!;
    expect(read(command, payload)).toEqual({ values: {}, tail: payload.split(" ") });
  });
  test("QMD", () => {
    expect(read("QMD", "INVERTEX3K").values).toEqual({
      upsModelName: "INVERTEX3K",
      upsApparentPower: 3000,
      upsPowerFactor: 99,
      upsPhases: "1/1",
      upsInputVoltage: 230,
      upsOutputVoltage: 230,
      upsBatteryCount: 2,
      upsBatteryVoltage: 12,
    });
  });
});

describe("PI41", () => {
  const ask = (command: string, body: string): unknown => decodeReply(findRequest(command, pi41), { body });
  test("has the same commands", () => {
    expect(pi41.map(({ code }) => code)).toContain("QP2GSn");
    expect(() => findRequest("QPIGS3", pi41)).toThrow(expect.objectContaining({ code: "command-unknown" }));
  });
  test.each(["QPIRI", "QPGS0"])("output modes of its own: %s", (command) => {
    const { payload } = dataVectors.find((vector) => vector.command === command && vector.model === "PI41")!;
    expect(ask(command, payload)).toMatchObject({ values: { outputMode: "parallelAt180" } });
    expect(decodeReply(findRequest(command), { body: payload })).toMatchObject({ values: { outputMode: "phase2Of2At120" } });
  });
  test("QPIGS has the status bits of a parallel unit", () => {
    const body = "122.9 60.0 122.9 60.0 0331 0272 013 400 56.10 004 100 0040 0000 000.0 56.10 00000 01000010 00 00 00000 010";
    expect(ask("QPIGS", body)).toMatchObject({ values: { unitStatus: ["acCharging", "loadOn"], field17: "00" } });
    expect(ask("QPIGS", body)).not.toHaveProperty("values.deviceStatus");
  });
});
