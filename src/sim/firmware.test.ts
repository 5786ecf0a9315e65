import { describe, expect, it } from "vitest";
import { decodeFrame, decodeReply } from "../protocol/decode.ts";
import { encodeCommand } from "../protocol/encode.ts";
import { latin1Bytes } from "../protocol/frame.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import { serialNumberOf } from "./answers.ts";
import { Firmware, type FirmwareOptions } from "./firmware.ts";
import { SimulatedInverter } from "./inverter.ts";
import { Member } from "./member.ts";
import { findProfile } from "./profiles.ts";
import { goodPayloads, Replay } from "./replay.ts";

const newYear = Date.UTC(2026, 0, 1);
const noon = newYear + 11 * 3_600_000;

function unitOf(index = 0, count = 1, model = "max"): FirmwareOptions["unit"] {
  const inverter = new SimulatedInverter({ seed: 3, start: noon });
  inverter.advanceTo(noon);
  return unitWith(inverter, index, count, model);
}

function unitWith(inverter: SimulatedInverter, index = 0, count = 1, model = "max"): FirmwareOptions["unit"] {
  const profile = findProfile(model);
  const members = Array.from(
    { length: count },
    (_, number) => new Member({ profile, index: number, parallel: count > 1, serialNumber: serialNumberOf(number) }),
  );
  return { inverter, member: members[index]!, members };
}

function ask(firmware: Firmware, command: string): { readonly payload: string; readonly values: Readonly<Record<string, unknown>> } {
  const { reply } = firmware.answer(encodeCommand(command));
  if (reply === undefined) throw new Error(`${command}: expected an answer, got silence`);
  const frame = decodeFrame(reply);
  const decoded = decodeReply(findRequest(command), frame);
  if (decoded.kind !== "data") throw new Error(`${command}: expected data, got ${decoded.kind}`);
  expect(decoded.tail).toEqual([]);
  return { payload: frame.body, values: decoded.values };
}

const numberOf = (values: Readonly<Record<string, unknown>>, name: string): number => {
  const value = values[name];
  if (typeof value !== "number") throw new TypeError(`${name}: expected a number, got ${String(value)}`);
  return value;
};

describe("Firmware", () => {
  it("answers as long as a MAX sends it", () => {
    const firmware = new Firmware({ unit: unitOf() });
    const fields = (command: string): number => ask(firmware, command).payload.trimEnd().split(" ").length;
    expect(["QPIGS", "QPIGS2", "QPIRI", "QPGS0", "QDI"].map(fields)).toEqual([21, 3, 28, 29, 26]);
    expect(["QPIGS", "QPIRI", "QPGS0", "QPIWS", "QMOD", "QPIGS2"].map((command) => ask(firmware, command).payload.length)).toEqual([
      106, 105, 139, 36, 1, 17,
    ]);
  });

  it("answers as a KING does when told so", () => {
    const firmware = new Firmware({ unit: unitOf(0, 1, "king") });
    expect(["QPIGS", "QPIRI", "QPGS0", "QPIWS", "QFLAG"].map((command) => firmware.answer(encodeCommand(command)).reply?.length)).toEqual([
      110, 102, 133, 36, 15,
    ]);
    expect(ask(firmware, "QPIGS").values).toHaveProperty("pvChargeCurrent");
    expect(firmware.answer(encodeCommand("QPIGS2")).reply).toEqual(latin1Bytes("(NAKss\r"));
  });

  it("marks its serial number as simulated", () => {
    expect(ask(new Firmware({ unit: unitOf() }), "QID").payload).toBe("99999999000001");
    const second = new Firmware({ unit: unitOf(1, 2) });
    expect(ask(second, "QSID").values["serialNumber"]).toBe("99999999000002");
  });

  it("shows values that fit together, by day and by night, through a day", () => {
    const inverter = new SimulatedInverter({ seed: 9, start: newYear, sheddingRate: 0.2 });
    const firmware = new Firmware({ unit: unitWith(inverter) });
    for (let minute = 0; minute < 1440; minute += 7) {
      inverter.advanceTo(newYear + minute * 60_000);
      const { values } = ask(firmware, "QPIGS");
      const second = ask(firmware, "QPIGS2").values;
      const of = (name: string): number => numberOf(values, name);
      // P = U·I within what rounding of U, I and P can do.
      expect(Math.abs(of("pv1Power") - of("pv1Voltage") * of("pv1Current"))).toBeLessThanOrEqual(
        0.5 + 0.051 * of("pv1Voltage") + 0.05 * of("pv1Current"),
      );
      const [u, i, p] = ["pv2Voltage", "pv2Current", "pv2Power"].map((name) => numberOf(second, name)) as [number, number, number];
      expect(Math.abs(p - u * i)).toBeLessThanOrEqual(0.5 + 0.051 * u + 0.05 * i);
      expect(of("pv1Power") + p).toBeCloseTo(inverter.flows.pv / 1000, -1);
      const batteryWatts = of("batteryVoltage") * (of("batteryDischargeCurrent") - of("batteryChargeCurrent"));
      const flow = (inverter.flows.batteryOut - inverter.flows.batteryIn) / 1000;
      expect(Math.abs(batteryWatts - flow)).toBeLessThanOrEqual(
        0.51 * of("batteryVoltage") + 0.06 * Math.abs(of("batteryDischargeCurrent") - of("batteryChargeCurrent")),
      );
      expect(of("loadApparentPower")).toBeGreaterThanOrEqual(of("loadActivePower"));
      expect(of("loadActivePower")).toBe(Math.round(inverter.flows.load / 1000));
      const gridAbsent = of("gridVoltage") === 0;
      expect([of("gridFrequency") === 0, inverter.grid.present]).toEqual([gridAbsent, !gridAbsent]);
      const mode = ask(firmware, "QMOD").values["operatingMode"];
      expect(ask(firmware, "QPGS0").values["operatingMode"]).toBe(mode);
      const warnings = ask(firmware, "QPIWS").values["warnings"];
      expect((warnings as readonly string[]).includes("gridFailed")).toBe(gridAbsent);
    }
  });

  it("a single unit says it has no parallel partner and sends its data all the same; another number has a record of zeros", () => {
    const firmware = new Firmware({ unit: unitOf() });
    const own = ask(firmware, "QPGS0").values;
    expect([own["unitExists"], own["serialNumber"], own["outputMode"]]).toEqual([false, "99999999000001", "single"]);
    const none = ask(firmware, "QPGS1");
    expect(none.payload).toMatch(/^0 00000000000000 P 00 000\.0 00\.00 /);
    expect(none.values["totalLoadActivePower"]).toBe(own["loadActivePower"]);
  });

  it("parallel units add up to the totals and to the flows of the system", () => {
    const count = 3;
    const unit = unitOf(0, count);
    const firmware = new Firmware({ unit });
    const records = [0, 1, 2].map((index) => ask(firmware, `QPGS${index}`).values);
    const sum = (name: string): number => records.reduce((total, record) => total + numberOf(record, name), 0);
    expect(records.map((record) => record["serialNumber"])).toEqual(["99999999000001", "99999999000002", "99999999000003"]);
    for (const record of records) {
      expect([record["unitExists"], record["outputMode"]]).toEqual([true, "parallel"]);
      expect(record["totalLoadActivePower"]).toBe(sum("loadActivePower"));
      expect(record["totalLoadApparentPower"]).toBe(sum("loadApparentPower"));
      expect(record["totalChargeCurrent"]).toBe(sum("batteryChargeCurrent"));
    }
    expect(Math.abs(sum("loadActivePower") - (unit.inverter.flows.load * count) / 1000)).toBeLessThanOrEqual(count / 2);
    expect(new Set(records.map((record) => record["loadActivePower"])).size).toBeGreaterThan(1);
    const own = ask(new Firmware({ unit: { ...unit, member: unit.members[1]! } }), "QPIGS").values;
    expect(own["loadActivePower"]).toBe(records[1]?.["loadActivePower"]);
  });

  it("puts the fault code where a MAX has it", () => {
    const { inverter } = unitOf();
    inverter.conditions.extraLoadWatts = 9000;
    inverter.advanceTo(noon + 20_000);
    const firmware = new Firmware({ unit: unitWith(inverter) });
    expect(ask(firmware, "QMOD").payload).toBe("F");
    expect(ask(firmware, "QPIWS").payload.slice(32, 34)).toBe("07");
    expect(ask(firmware, "QPGS0").values["faultCode"]).toBe("07");
  });

  it.each([
    ["a setting it does not have", encodeCommand("POPLG00")],
    ["an unknown inquiry", encodeCommand("QFOO")],
    ["lower case", encodeCommand("qpigs")],
    ["a wrong checksum", latin1Bytes("QPIGS\xb7\xaa\r")],
    ["too few bytes", latin1Bytes("\r")],
    ["zeros only", Uint8Array.of(0, 0, 0, 0)],
  ])("refuses %s", (_, request) => {
    const unit = unitOf();
    expect(new Firmware({ unit }).answer(request).reply).toEqual(latin1Bytes("(NAKss\r"));
    expect(new Firmware({ unit, refusal: "silence" }).answer(request).reply).toBeUndefined();
  });

  it("takes a request behind the padding of a USB report, and 01 for a 00 checksum byte unless told otherwise", () => {
    const unit = unitOf();
    const padded = Uint8Array.of(0, 0, 0, ...encodeCommand("QMOD"));
    expect(new Firmware({ unit }).answer(padded).command).toBe("QMOD");
    // QED20241108 is one of the commands whose checksum holds a 00.
    const bumped = encodeCommand("QEY2029", "zeroBumped");
    expect(bumped).not.toEqual(encodeCommand("QEY2029"));
    expect(new Firmware({ unit }).answer(bumped).command).toBe("QEY2029");
    expect(new Firmware({ unit, requestChecksum: "plain" }).answer(bumped).command).toBe("");
  });
});

describe("replay", () => {
  const good = "233.8 49.9 233.8 49.9 0210 0138 004 418 52.00 000 100 0048 0000 000.0 00.00 00001 00010101 00 00 00000 110";
  const other = good.replace("0138", "0139");
  const lines = [
    "Maak nog korrekte opskrifte hier",
    `2020-08-23 17:14:33.243004,${good}`,
    "2020-08-24 08:02:19.000001,NAK",
    `2020-08-24 08:02:49.000001,232.7 49.8 232.7 49.8 0279 0177 005 418 52.00 0(${good}`,
    `2020-08-24 08:02:49.000001,${good.slice(0, -3)}`,
    `2020-08-24 08:03:19,${other}`,
    "",
  ];

  it("takes good lines only, and their payloads as they are", () => {
    expect(goodPayloads(lines)).toEqual([good, other]);
  });

  it("answers QPIGS with them in order and begins again, and the rest from the model", () => {
    const firmware = new Firmware({ unit: unitOf(), replay: new Replay(goodPayloads(lines)) });
    expect([1, 2, 3].map(() => ask(firmware, "QPIGS").payload)).toEqual([good, other, good]);
    expect(ask(firmware, "QMOD").payload).toMatch(/^[LBSF]$/);
  });

  it("wants at least one", () => {
    expect(() => new Replay(goodPayloads(["nothing"]))).toThrow(/at least one good QPIGS line/);
  });
});
