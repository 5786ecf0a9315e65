import { describe, expect, test } from "vitest";
import type { Reading, Values } from "../model/reading.ts";
import { decodeReply } from "../protocol/decode.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import { Notices } from "./notices.ts";

function reading(command: string, values: Values): Reading {
  return { inverter: "one", at: 0, command, payload: "", values, derived: {}, tail: [] };
}

function warned(bits: string): Reading {
  const reply = decodeReply(findRequest("QPIWS"), { body: bits });
  if (reply.kind !== "data") throw new Error(`expected data, got ${reply.kind}`);
  return reading("QPIWS", reply.values);
}

const keys = (read: Reading): readonly string[] | undefined => read.notices?.map(({ key }) => key);
const quiet = "0".repeat(36);
/** Inverter fault, and the digits 07 where a 48 V MAX has them. */
const faulty = `01${"0".repeat(30)}0700`;

describe("notices", () => {
  test("are in readings of warnings, empty when nothing stands, and in no other reading", () => {
    const notices = new Notices();
    expect(notices.added(warned(quiet), "max").notices).toEqual([]);
    expect(notices.added(warned(`1${quiet.slice(1)}`), "max").notices).toMatchObject([
      { key: "pvLoss", title: "No PV power", severity: "info" },
    ]);
    expect(notices.added(reading("QPIGS", { gridVoltage: 230 }), "max")).not.toHaveProperty("notices");
  });

  test("read a fault code out of the warnings once the rated battery voltage tells where it is", () => {
    const notices = new Notices();
    expect(keys(notices.added(warned(faulty), "max"))).toEqual(["inverterFault"]);
    notices.added(reading("QPIRI", { ratedBatteryVoltage: 48 }), "max");
    expect(keys(notices.added(warned(faulty), "max"))).toEqual(["07", "inverterFault"]);
    notices.forget();
    expect(keys(notices.added(warned(faulty), "max"))).toEqual(["inverterFault"]);
  });

  test("of a parallel unit tell of that unit and are not mixed with this one", () => {
    const notices = new Notices();
    const record = reading("QPGS1", { unitExists: true, operatingMode: "fault", faultCode: "72" });
    expect(notices.added(record, "max").notices).toMatchObject([{ key: "72", severity: "fault", title: "Current is not shared" }]);
    expect(notices.added(reading("QPGS0", { unitExists: true, faultCode: "00" }), "max").notices).toEqual([]);
    // The digits count only in a fault, and the fault above is another unit's.
    expect(keys(notices.added(warned(`${"0".repeat(32)}0700`), "king"))).toEqual([]);
    notices.added(reading("QMOD", { operatingMode: "fault" }), "king");
    expect(keys(notices.added(warned(`${"0".repeat(32)}0700`), "king"))).toEqual(["07"]);
  });
});
