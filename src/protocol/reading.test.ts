import { describe, expect, test } from "vitest";
import { decodeReply } from "./decode.ts";
import { findRequest } from "./pi30/dialect.ts";
import { derive } from "./reading.ts";
import type { Values } from "../model/reading.ts";

function derivedFrom(command: string, body: string): Values {
  const reply = decodeReply(findRequest(command), { body });
  if (reply.kind !== "data") throw new Error(`expected data, got ${reply.kind}`);
  return derive(reply.values);
}

describe("derived values", () => {
  test("a model number that is listed has a name", () => {
    expect(derivedFrom("QGMN", "044")).toEqual({ modelByNumber: "MAX 7.2K or 8K" });
    expect(derivedFrom("QGMN", "999")).toEqual({});
  });

  test("a charging battery is negative", () => {
    const body = "227.2 50.0 230.3 50.0 0829 0751 010 447 54.50 020 083 0054 02.7 323.6 00.00 00000 00010110 00 00 00879 010";
    expect(derivedFrom("QPIGS", body)).toEqual({ batteryCurrent: -20, batteryPower: -1090 });
  });

  test("a discharging battery is positive", () => {
    const body = "230.0 49.9 230.0 49.9 0805 0751 020 448 29.00 000 100 0037 02.3 271.1 00.00 00007 00010000 00 00 00647 011 0 00 0000";
    expect(derivedFrom("QPIGS", body)).toEqual({ batteryCurrent: 7, batteryPower: 203 });
  });

  test("17 fields, older units: the current into the battery times the charger's battery voltage", () => {
    const body = "230.5 50.0 230.5 50.0 0460 0414 009 380 26.40 005 085 0620 0004 065.2 26.38 00000 00010110";
    expect(derivedFrom("QPIGS", body)).toEqual({ batteryCurrent: -5, batteryPower: -132, pv1Power: 106 });
  });

  test("17 fields, newer units: the input current times the input voltage", () => {
    const body = "230.5 50.0 230.5 50.0 0460 0414 009 380 26.40 005 085 0041 04.1 265.2 00.00 00000 00010110";
    expect(derivedFrom("QPIGS", body)).toMatchObject({ pv1Power: 1087 });
  });

  test("17 fields, older units, at night: no current and no sun is no power; no current alone says nothing of it", () => {
    const body = (volts: string): string => `230.5 50.0 230.5 50.0 0460 0414 009 380 25.40 000 085 0620 0000 ${volts} 00.00 00017 00010000`;
    expect(derivedFrom("QPIGS", body("000.0"))).toMatchObject({ pv1Power: 0 });
    expect(derivedFrom("QPIGS", body("065.2"))).not.toHaveProperty("pv1Power");
  });

  test("QPGSn gives no PV power: its current may be that of either side", () => {
    const body =
      "1 92931701100510 B 00 000.0 00.00 230.6 50.00 0275 0141 005 51.4 001 100 083.3 002 00574 00312 003 10100110 1 2 060 120 10 04 000";
    expect(derivedFrom("QPGS0", body)).toEqual({ batteryCurrent: -1, batteryPower: -51 });
  });

  test("0 A is 0, not minus 0", () => {
    const { batteryCurrent, batteryPower } = derive({ batteryVoltage: 0, batteryChargeCurrent: 5, batteryDischargeCurrent: 0 });
    expect([batteryCurrent, batteryPower]).toEqual([-5, 0]);
    expect(derive({ batteryVoltage: 52, batteryChargeCurrent: 0, batteryDischargeCurrent: 0 })).toEqual({
      batteryCurrent: 0,
      batteryPower: 0,
    });
  });

  test("nothing comes from nothing", () => {
    expect(derive({})).toEqual({});
    expect(derive({ batteryChargeCurrent: 3 })).toEqual({});
    expect(derive({ batteryChargeCurrent: 3, batteryDischargeCurrent: 0 })).toEqual({ batteryCurrent: -3 });
  });
});
