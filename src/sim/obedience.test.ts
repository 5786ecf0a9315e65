import { describe, expect, it } from "vitest";
import type { Values } from "../model/reading.ts";
import type { Allowed, SettingValue } from "../model/setting.ts";
import { exampleOf, type Query } from "../protocol/command.ts";
import { decodeFrame, decodeReply, verdictOf } from "../protocol/decode.ts";
import { encodeCommand } from "../protocol/encode.ts";
import { QPIRI } from "../protocol/pi30/ratings.ts";
import { findSetting, settings } from "../protocol/pi30/settings/catalogue.ts";
import { holds, type UnitFacts } from "../protocol/setting.ts";
import { serialNumberOf } from "./answers.ts";
import { Firmware, type FirmwareOptions } from "./firmware.ts";
import { SimulatedInverter } from "./inverter.ts";
import { Member } from "./member.ts";
import type { SettingDialect } from "./profile.ts";
import { findProfile, modelNames } from "./profiles.ts";

const noon = Date.UTC(2026, 0, 1, 11);

function systemOf(model: string, count = 1, at = noon): FirmwareOptions["unit"] {
  const profile = findProfile(model);
  const { strings, household } = profile;
  const members = Array.from(
    { length: count },
    (_, index) => new Member({ profile, index, parallel: count > 1, serialNumber: serialNumberOf(index) }),
  );
  const [member] = members;
  if (member === undefined) throw new RangeError("expected at least one unit");
  const inverter = new SimulatedInverter({ seed: 3, start: at, strings, household, ratings: member.ratings });
  inverter.advanceTo(at);
  return { inverter, member, members };
}

const firmwareOf = (model: string, settings: SettingDialect = "obeys"): Firmware => new Firmware({ unit: systemOf(model), settings });

/** The verdict on a command; silence where none came. */
function tell(firmware: Firmware, command: string, at = 0): "ack" | "nak" | "silence" {
  for (const habit of ["zeroBumped", "plain"] as const) {
    const answer = firmware.answer(encodeCommand(command, habit), at);
    if (answer.command === "" && habit === "zeroBumped") continue;
    if (answer.reply === undefined) return "silence";
    const body = String.fromCharCode(...answer.reply).replace(/^\0*\(/, "");
    return verdictOf({ body: body.slice(0, 3) }) ?? "silence";
  }
  return "silence";
}

/** What the unit shows in answer to a query; nothing where it does not answer. */
function shown(firmware: Firmware, query: Query, at = 0): Values {
  const { reply } = firmware.answer(encodeCommand(exampleOf(query).command), at);
  if (reply === undefined) return {};
  const start = reply.indexOf(0x28);
  const end = reply.indexOf(0x0d) + 1;
  const bytes = reply.slice(start, end);
  if (bytes.length < 7 || String.fromCharCode(...bytes.slice(1, 4)) === "NAK") return {};
  const decoded = decodeReply(exampleOf(query), decodeFrame(bytes));
  return decoded.kind === "data" ? decoded.values : {};
}

function someOf(allowed: Allowed): readonly SettingValue[] {
  if (allowed.kind === "list") return allowed.values;
  if (allowed.kind === "text") return [];
  return [allowed.min, allowed.min + allowed.step, allowed.max, ...(allowed.also ?? [])];
}

describe("a unit that obeys", () => {
  it.each(modelNames)("%s shows every value that it took", (model) => {
    const { family } = findProfile(model);
    const taken: string[] = [];
    for (const setting of settings) {
      const firmware = firmwareOf(model);
      const facts = (): UnitFacts => ({
        values: Object.assign({}, ...setting.needs.map((query) => shown(firmware, query))) as Values,
        family,
        unit: 0,
        wide: false,
      });
      const allowed = setting.allowed(facts());
      if (allowed.kind === "none" || setting.readBack === undefined) continue;
      for (const value of someOf(allowed)) {
        const verdicts = setting.commands(value, facts()).map((command) => tell(firmware, command));
        if (!verdicts.includes("ack")) continue;
        const read = setting.readBack.read(shown(firmware, setting.readBack.query), facts());
        expect(
          read !== undefined && holds(setting, value, read),
          `${setting.info.name} = ${String(value)}, read back ${String(read)}`,
        ).toBe(true);
        taken.push(setting.info.name);
      }
    }
    expect(new Set(taken).size).toBeGreaterThan(model === "mystery" ? 4 : 10);
    expect(taken).toContain("outputSourcePriority");
  });

  it.each([
    // mNN: three digits of 100 A or more are another unit's number.
    ["hs", "MUCHGC020", "ack", 20],
    ["hs", "MUCHGC100", "nak", 30],
    ["hs", "MUCHGC0020", "nak", 30],
    ["king", "MUCHGC030", "ack", 30],
    ["king", "MUCHGC100", "nak", 60],
    ["max", "MUCHGC0100", "ack", 100],
    ["max", "MUCHGC100", "nak", 30],
    ["max", "MUCHGC035", "nak", 30],
    ["phocos", "MUCHGC030", "nak", 2],
    ["phocos", "MUCHGC0030", "ack", 30],
    ["vm2", "MUCHGC030", "ack", 30],
    ["powmr", "MUCHGC010", "ack", 10],
    ["powmr", "MUCHGC100", "nak", 30],
  ] as const)("%s reads %s as its papers say: %s", (model, command, verdict, amperes) => {
    const firmware = firmwareOf(model);
    expect(tell(firmware, command)).toBe(verdict);
    expect(shown(firmware, QPIRI)["maxAcChargeCurrent"]).toBe(amperes);
  });

  it("sets the unit whose number is in the command", () => {
    const unit = systemOf("max", 3);
    const firmware = new Firmware({ unit });
    expect([tell(firmware, "MUCHGC250"), tell(firmware, "PPCP103"), tell(firmware, "MUCHGC350")]).toEqual(["ack", "ack", "nak"]);
    expect(unit.members.map((member) => member.shown(QPIRI)["maxAcChargeCurrent"])).toEqual([30, 30, 50]);
    expect(unit.members.map((member) => member.shown(QPIRI)["chargerSourcePriority"])).toEqual(["solarFirst", "onlySolar", "solarFirst"]);
    unit.members[2]!.powered = false;
    expect(tell(firmware, "MUCHGC210")).toBe("nak");
  });

  it("keeps to the battery type: voltages of another than a user-defined one are refused, and a type brings its own", () => {
    const firmware = firmwareOf("max2");
    expect(tell(firmware, "PCVV56.0")).toBe("ack");
    expect(tell(firmware, "PCVV66.0")).toBe("nak");
    expect(tell(firmware, "PBT00")).toBe("ack");
    expect(shown(firmware, QPIRI)).toMatchObject({ batteryType: "agm", batteryBulkVoltage: 56.4, batteryFloatVoltage: 54 });
    expect(tell(firmware, "PCVV56.0")).toBe("nak");
  });

  it("goes back to its defaults", () => {
    const firmware = firmwareOf("max");
    expect(tell(firmware, "PF")).toBe("ack");
    expect(shown(firmware, QPIRI)).toMatchObject({
      batteryType: "agm",
      batteryCutOffVoltage: 44,
      outputSourcePriority: "utilityFirst",
      chargerSourcePriority: "solarAndUtility",
      maxChargeCurrent: 60,
    });
    expect(tell(firmware, "QFLAG")).toBe("silence");
  });

  it("lives by what it is set to", () => {
    const night = noon + 12 * 3_600_000;
    const unit = systemOf("max", 1, night);
    const firmware = new Firmware({ unit });
    const { inverter } = unit;
    let at = night;
    /** What the unit does some seconds after it was told. */
    const after = (...commands: readonly string[]): readonly [mode: string, acAmperes: number] => {
      expect(commands.map((command) => tell(firmware, command))).toEqual(commands.map(() => "ack"));
      inverter.advanceTo((at += 5000));
      return [inverter.mode, Math.round(inverter.flows.acCharge / inverter.battery.millivolts)];
    };
    expect(after()).toEqual(["battery", 0]);
    expect(after("POP00", "PCP03")).toEqual(["line", 0]);
    expect(after("PCP02")).toEqual(["line", 30]);
    expect(after("MUCHGC010")).toEqual(["line", 10]);
    expect(after("PBATCD110")).toEqual(["line", 0]);
    expect(after("PBATCD000")).toEqual(["line", 10]);
    expect(after("POP02")).toEqual(["battery", 0]);
    expect(after("PBATCD101")).toEqual(["line", 10]);
  });

  it("takes the codes of its own panel: on a VMII-4000 01 is SBU", () => {
    const unit = systemOf("vm2");
    const firmware = new Firmware({ unit });
    expect(unit.inverter.ratings.outputSourcePriority).toBe("sbu");
    expect(tell(firmware, "POP00")).toBe("ack");
    expect(unit.inverter.ratings.outputSourcePriority).toBe("solarFirst");
  });

  it("meets what it does not know as it meets everything unknown", () => {
    expect(tell(firmwareOf("vm2"), "PLEDE1")).toBe("silence");
    expect(tell(firmwareOf("king"), "PLEDE1")).toBe("nak");
    expect(tell(firmwareOf("max"), "BTA1053.20")).toBe("nak");
  });
});

describe("a unit that does not", () => {
  const read = (firmware: Firmware, at: number): unknown => {
    const setting = findSetting("maxAcChargeCurrent");
    return setting.readBack?.read(shown(firmware, QPIRI, at), { family: "max", unit: 0, wide: false });
  };

  it.each([
    ["obeys", "ack", 50, 50],
    ["refuses", "nak", 30, 30],
    ["ignores", "ack", 30, 30],
    ["late", "ack", 30, 50],
  ] as const)("%s: says %s, shows %d A at once and %d A after 20 s", (dialect, verdict, before, after) => {
    const firmware = firmwareOf("max", dialect);
    expect(tell(firmware, "MUCHGC050", 1000)).toBe(verdict);
    expect(read(firmware, 20_999)).toBe(before);
    expect(read(firmware, 21_000)).toBe(after);
  });
});
