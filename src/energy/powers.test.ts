import { describe, expect, test } from "vitest";
import type { HistoryRow } from "../model/history.ts";
import type { Values } from "../model/reading.ts";
import { gridEstimate, powersOf, type Answer } from "./powers.ts";

const answer = (command: string, values: Values, origins?: HistoryRow["origins"]): Answer => ({
  at: 1000,
  command,
  values,
  ...(origins && { origins }),
});

const status: Values = {
  gridVoltage: 230,
  loadActivePower: 1000,
  batteryVoltage: 52,
  batteryChargeCurrent: 10,
  batteryDischargeCurrent: 0,
  pv1Power: 400,
  pv1Voltage: 320,
};
const mode = (operatingMode: string): Answer => answer("QMOD", { operatingMode });
const own = (values: Values, ...more: readonly Answer[]): readonly Answer[] => [answer("QPIGS", { ...status, ...values }), ...more];

describe("PV", () => {
  test("of two inputs is their sum, each counted once, and each is a flow of its own", () => {
    const powers = powersOf(own({}, answer("QPIGS2", { pv2Power: 205, pv2Voltage: 202 })));
    expect(powers.pv).toEqual({ watts: 605, origin: "derived" });
    expect(powers.pv1).toEqual({ watts: 400, origin: "measured" });
    expect(powers.pv2).toEqual({ watts: 205, origin: "measured" });
    expect(powers.pv3).toBeUndefined();
  });

  test("of a unit that sends a total is that total, not that and its parts", () => {
    expect(powersOf(own({}, answer("QPIGS2", { pv2Power: 205, pv3Power: 100, pvPower: 705 }))).pv).toEqual({
      watts: 705,
      origin: "measured",
    });
  });

  test("is unknown while an answer of the unit is missing, and its first input is not", () => {
    const powers = powersOf(own({}), (name) => name === "pv2Power");
    expect(powers.pv).toBeUndefined();
    expect(powers.pv1).toEqual({ watts: 400, origin: "measured" });
    expect(powersOf(own({}), (name) => name === "pv2Voltage").pv).toBeUndefined();
  });

  test("that does not fit the balance for an hour is estimated in every sum", () => {
    const powers = powersOf([answer("QPIGS", status, { pv1Power: "estimated" }), answer("QPIGS2", { pv2Power: 205 })]);
    expect(powers.pv?.origin).toBe("estimated");
    expect(powers.pv1?.origin).toBe("estimated");
  });
});

describe("load", () => {
  test("of a unit with two phases is both, and unknown while one is missing", () => {
    const known = (name: string): boolean => name === "l2LoadActivePower";
    expect(powersOf(own({}, answer("QPIGS2", { l2LoadActivePower: 270 })), known).load).toEqual({ watts: 1270, origin: "derived" });
    expect(powersOf(own({}), known).load).toBeUndefined();
    expect(powersOf(own({})).load).toEqual({ watts: 1000, origin: "measured" });
  });
});

describe("battery", () => {
  test("volts by amperes, one direction at a time", () => {
    expect(powersOf(own({}))).toMatchObject({
      batteryCharge: { watts: 520, origin: "derived" },
      batteryDischarge: { watts: 0, origin: "derived" },
    });
    expect(powersOf(own({ batteryChargeCurrent: 2, batteryDischargeCurrent: 7 }))).toMatchObject({
      batteryCharge: { watts: 0 },
      batteryDischarge: { watts: 260 },
    });
  });

  test("a unit that tells one direction says nothing of the other, and without volts there is no power", () => {
    const { batteryDischargeCurrent: _, ...oneWay } = status;
    expect(powersOf([answer("QPIGS", oneWay)])).toMatchObject({ batteryCharge: { watts: 520 } });
    expect(powersOf([answer("QPIGS", oneWay)]).batteryDischarge).toBeUndefined();
    const { batteryVoltage: __, ...noVolts } = status;
    expect(powersOf([answer("QPIGS", noVolts)]).batteryCharge).toBeUndefined();
  });
});

describe("grid", () => {
  const { pvToBus, batteryToBus, busToOutput, gridToBus, ownWatts } = gridEstimate;

  test("is nothing in battery mode and without grid at the input", () => {
    expect(powersOf(own({}, mode("battery"))).gridImport).toEqual({ watts: 0, origin: "derived" });
    expect(powersOf(own({ gridVoltage: 0 })).gridImport).toEqual({ watts: 0, origin: "derived" });
  });

  test("charges battery and serves the load where the sun does not", () => {
    const bus = 400 * pvToBus - 520 / batteryToBus - ownWatts;
    expect(powersOf(own({}, mode("line"))).gridImport).toEqual({ watts: 1000 - bus / gridToBus, origin: "estimated" });
  });

  test("serves what sun and battery leave of the load, and is never negative", () => {
    const sunny = own({ pv1Power: 900, batteryChargeCurrent: 0 }, mode("line"));
    expect(powersOf(sunny).gridImport?.watts).toBeCloseTo(1000 - (900 * pvToBus - ownWatts) * busToOutput, 6);
    expect(powersOf(own({ pv1Power: 4000 }, mode("line"))).gridImport).toEqual({ watts: 0, origin: "estimated" });
  });

  test("counts what the unit says that it feeds in", () => {
    const feeding = powersOf(own({ pv1Power: 2500, batteryChargeCurrent: 0, solarFeedPower: 1200 }, mode("line")));
    expect(feeding.gridExport).toEqual({ watts: 1200, origin: "measured" });
    expect(feeding.gridImport?.watts).toBe(0);
    expect(powersOf(own({}, mode("line"))).gridExport).toBeUndefined();
  });

  test("is unknown in a mode that says nothing, and without mode", () => {
    expect(powersOf(own({})).gridImport).toBeUndefined();
    expect(powersOf(own({}, mode("fault"))).gridImport).toBeUndefined();
    const { loadActivePower: _, ...noLoad } = status;
    expect(powersOf([answer("QPIGS", noLoad), mode("line")]).gridImport).toBeUndefined();
  });

  test("a unit that charges from the grid in battery mode draws from it", () => {
    expect(powersOf(own({ deviceStatus: ["charging", "acCharging"] }, mode("battery"))).gridImport?.origin).toBe("estimated");
  });
});

describe("a record of a unit", () => {
  const record: Values = {
    unitExists: true,
    operatingMode: "battery",
    gridVoltage: 0,
    loadActivePower: 907,
    batteryVoltage: 53.2,
    batteryChargeCurrent: 9,
    batteryDischargeCurrent: 0,
    pv1Voltage: 349.8,
    pv1Current: 2,
  };

  test("of 27 fields tells load, battery and mode, and no PV", () => {
    expect(powersOf([answer("QPGS1", record)])).toEqual({
      load: { watts: 907, origin: "measured" },
      batteryCharge: { watts: 53.2 * 9, origin: "derived" },
      batteryDischarge: { watts: 0, origin: "derived" },
      gridImport: { watts: 0, origin: "derived" },
    });
  });

  test("of 29 fields gives PV as an estimate", () => {
    const powers = powersOf([answer("QPGS1", { ...record, pv2Voltage: 275.3, pv2Current: 2 })]);
    expect(powers.pv1).toEqual({ watts: 699.6, origin: "estimated" });
    expect(powers.pv?.watts).toBeCloseTo(699.6 + 550.6, 6);
    expect(powers.pv?.origin).toBe("estimated");
  });

  test("with a second one that tells watts gives PV", () => {
    const further = answer("QP2GS1", { unitExists: true, pv1Power: 850, pv2Power: 638, pv2Voltage: 102.5, pv3Power: 585 });
    expect(powersOf([answer("QPGS1", record), further]).pv).toEqual({ watts: 2073, origin: "derived" });
  });
});
