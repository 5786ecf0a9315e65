import { describe, expect, test } from "vitest";
import { factsOf, familyKeys } from "../../../../test/protocol/settings-support.ts";
import type { Values } from "../../../model/reading.ts";
import type { SettingValue } from "../../../model/setting.ts";
import { writes, type UnitFacts } from "../../setting.ts";
import { classify, findSetting, settings } from "./catalogue.ts";

const commandsOf = (name: string, value: SettingValue, facts: UnitFacts): readonly string[] =>
  writes(findSetting(name), value, facts).map(({ command }) => command);
const allowed = (name: string, facts: UnitFacts) => findSetting(name).allowed(facts);
const refusal = (name: string, value: SettingValue, facts: UnitFacts): string => {
  try {
    return `sends ${commandsOf(name, value, facts).join(", ")}`;
  } catch (error) {
    return (error as Error).message;
  }
};

describe("charge currents", () => {
  test("are those that the unit itself lists, and none without its list", () => {
    const facts = factsOf("max", { values: { selectableChargeCurrents: [10, 25, 120] } });
    expect(allowed("maxChargeCurrent", facts)).toEqual({ kind: "list", values: [10, 25, 120] });
    const { selectableAcChargeCurrents: _, ...without } = facts.values;
    expect(allowed("maxAcChargeCurrent", { ...facts, values: without })).toMatchObject({
      kind: "none",
      because: "locked",
      reason: expect.stringContaining("QMUCHGCR"),
    });
  });

  test.each([
    ["hs", 0, 30, ["MCHGC030", "MNCHGC0030"]],
    ["hs", 2, 30, ["MCHGC230", "MNCHGC2030"]],
    ["mks", 0, 30, ["MCHGC030", "MNCHGC0030"]],
    ["mks", 0, 120, ["MCHGC120", "MNCHGC0120"]],
    ["vm3", 0, 30, ["MNCHGC030", "MNCHGC0030"]],
    ["vm3", 0, 120, ["MNCHGC120", "MNCHGC0120"]],
    ["max", 0, 60, ["MNCHGC0060"]],
    ["max", 3, 120, ["MNCHGC3120"]],
    ["unknown", 0, 60, ["MNCHGC060", "MNCHGC0060", "MCHGC060"]],
    ["unknown", 0, 120, ["MNCHGC0120"]],
    ["unknown", 1, 60, ["MNCHGC1060"]],
  ] as const)("total, %s, unit %i, %i A", (family, unit, amps, commands) => {
    expect(commandsOf("maxChargeCurrent", amps, factsOf(family, { unit }))).toEqual(commands);
  });

  test.each([
    ["king", 0, 20, ["MUCHGC020", "MUCHGC0020"]],
    ["king", 1, 20, ["MUCHGC120", "MUCHGC1020"]],
    ["king", 0, 100, ["MUCHGC0100"]],
    ["mks2", 0, 20, ["MUCHGC0020", "MUCHGC020"]],
    ["vm4", 0, 100, ["MUCHGC100", "MUCHGC0100"]],
    ["clone", 0, 100, ["MUCHGC0100"]],
    ["clone", 0, 10, ["MUCHGC010", "MUCHGC0010"]],
  ] as const)("from the grid, %s, unit %i, %i A", (family, unit, amps, commands) => {
    expect(commandsOf("maxAcChargeCurrent", amps, factsOf(family, { unit }))).toEqual(commands);
  });

  test("three digits of 100 and more go only to makes that are known to read all three as the current", () => {
    const plain = new Set(["mks", "plus", "vm3", "vm4", "vm4-twin"]);
    for (const family of familyKeys) {
      for (const name of ["maxChargeCurrent", "maxAcChargeCurrent"]) {
        const facts = factsOf(family);
        for (const amps of [100, 110, 120]) {
          const threeDigits = findSetting(name)
            .commands(amps, facts)
            .filter((command) => /^[A-Z]+\d{3}$/.test(command));
          expect([family, threeDigits.length > 0 && !plain.has(family)]).toEqual([family, false]);
        }
      }
    }
  });

  test("a command for another unit of a parallel system is not taken for this one's", () => {
    expect(classify("MUCHGC120", factsOf("king", { unit: 0 })).kind).toBe("unknown");
    expect(classify("MUCHGC120", factsOf("king", { unit: 1 }))).toMatchObject({ value: 20 });
    expect(classify("MUCHGC120", factsOf("vm3"))).toMatchObject({ value: 120 });
    expect(classify("MUCHGC120", factsOf("unknown")).kind).toBe("unknown");
  });
});

describe("priorities", () => {
  test.each([
    ["max", { outputSourcePriority: "sbu" }, "POP02"],
    ["unknown", { outputSourcePriority: "sbu" }, "POP02"],
    ["vm2-4000", { outputSourcePriority: "sbu" }, "POP01"],
    ["vm2-4000", { outputSourcePriority: "solarFirst" }, "POP00"],
    ["max", { chargerSourcePriority: "onlySolar" }, "PCP03"],
    ["hs", { chargerSourcePriority: "utilityFirst" }, "PCP00"],
    ["lv6548", { chargerSourcePriority: "onlySolar" }, "PCP02"],
    ["king", { chargerSourcePriority: "loadFirstOnlySolar" }, "PCP03"],
  ] as const)("%s: %j is %s", (family, wanted, command) => {
    const [[name, value]] = Object.entries(wanted) as [[string, string]];
    expect(commandsOf(name, value, factsOf(family))).toEqual([command]);
  });

  test("the same code in the answer is another word on another make", () => {
    const { read } = findSetting("chargerSourcePriority").readBack!;
    const code2: Values = { chargerSourcePriority: "solarAndUtility" };
    expect(["max", "lv6548", "king", "unknown"].map((family) => read(code2, factsOf(family)))).toEqual([
      "solarAndUtility",
      "onlySolar",
      "loadFirstGridMayCharge",
      "solarAndUtility",
    ]);
  });

  test("a code of unknown meaning is shown as it is, and cannot be set", () => {
    const facts = factsOf("max", { values: { outputSourcePriority: "unknown:3" } });
    expect(findSetting("outputSourcePriority").readBack!.read(facts.values, facts)).toBe("unknown:3");
    expect(refusal("outputSourcePriority", "unknown:3", facts)).toBe(
      'outputSourcePriority: expected utilityFirst, solarFirst, sbu, got "unknown:3"',
    );
  });

  test("newer makes are not offered utility first", () => {
    expect(refusal("chargerSourcePriority", "utilityFirst", factsOf("max"))).toContain("expected solarFirst, solarAndUtility, onlySolar");
  });

  test("the mode on which a unit works together with others: only where it can, and on unknown makes only for the first", () => {
    expect(commandsOf("outputMode", "phase2Of3", factsOf("max"))).toEqual(["POPM03"]);
    expect(commandsOf("outputMode", "phase2Of3", factsOf("hs", { unit: 1 }))).toEqual(["POPM13"]);
    expect(allowed("outputMode", factsOf("unknown", { unit: 1 }))).toMatchObject({ kind: "none", because: "locked" });
    expect(allowed("outputMode", factsOf("max", { values: { maxParallelUnits: 1 } }))).toMatchObject({ kind: "none", because: "lacking" });
    expect(allowed("outputMode", factsOf("max"))).toMatchObject({ values: expect.not.arrayContaining(["phase1Of2"]) });
    expect(allowed("outputMode", factsOf("max", { lowVoltage: true }))).toMatchObject({ values: expect.arrayContaining(["phase1Of2"]) });
  });
});

describe("battery voltages", () => {
  const max: Values = {
    ratedBatteryVoltage: 48,
    batteryType: "userDefined",
    batteryCutOffVoltage: 44,
    batteryRechargeVoltage: 46,
    batteryRedischargeVoltage: 54,
    batteryFloatVoltage: 54,
    batteryBulkVoltage: 56.4,
  };
  const facts = factsOf("max", { values: max });

  test.each([
    [
      "batteryCutOffVoltage",
      46,
      "46 V would not be right: the battery cut-off voltage has to be below the back-to-grid battery voltage, which is 46 V",
    ],
    ["batteryCutOffVoltage", 45.9, "sends PSDV45.9"],
    [
      "batteryRechargeVoltage",
      44,
      "44 V would not be right: the back-to-grid battery voltage has to be above the battery cut-off voltage, which is 44 V",
    ],
    ["batteryRechargeVoltage", 45, "sends PBCV45.0"],
    ["batteryRedischargeVoltage", 55, "has to be not above the float charging voltage, which is 54 V"],
    ["batteryRedischargeVoltage", 48, "sends PBDV48.0"],
    ["batteryRedischargeVoltage", 0, "sends PBDV00.0"],
    ["batteryFloatVoltage", 56.4, "sends PBFT56.4"],
    ["batteryFloatVoltage", 56.5, "has to be not above the bulk charging voltage, which is 56.4 V"],
    ["batteryFloatVoltage", 53.9, "has to be not below the back-to-battery voltage, which is 54 V"],
    ["batteryBulkVoltage", 53.9, "has to be not below"],
    ["batteryBulkVoltage", 54, "sends PCVV54.0"],
    ["batteryBulkVoltage", 58.5, "expected 48 to 58.4 V in steps of 0.1, got 58.5"],
    ["batteryBulkVoltage", 28.2, "expected 48 to 58.4 V in steps of 0.1, got 28.2"],
  ])("%s to %s: %s", (name, value, outcome) => {
    expect(refusal(name, value, facts)).toContain(outcome);
  });

  test("a unit that waits for a full battery has no back-to-battery voltage to be compared with", () => {
    const waiting = factsOf("max", { values: { ...max, batteryRedischargeVoltage: 0 } });
    expect(refusal("batteryFloatVoltage", 50, waiting)).toBe("sends PBFT50.0");
    expect(refusal("batteryRedischargeVoltage", 55, waiting)).toContain("not above the float charging voltage");
  });

  // Captured from an SP-3200: re-charge below cut-off, and re-discharge above float.
  describe("a unit whose voltages are out of order already", () => {
    const odd = factsOf("unknown", {
      battery: 24,
      values: {
        batteryRechargeVoltage: 22.5,
        batteryCutOffVoltage: 23.2,
        batteryBulkVoltage: 27.6,
        batteryFloatVoltage: 27,
        batteryRedischargeVoltage: 27.5,
      },
    });
    test.each([
      ["batteryCutOffVoltage", 23, "sends PSDV23.0"],
      ["batteryCutOffVoltage", 22, "sends PSDV22.0"],
      ["batteryCutOffVoltage", 23.3, "has to be below the back-to-grid battery voltage, which is 22.5 V"],
      ["batteryRechargeVoltage", 23.5, "sends PBCV23.5"],
      ["batteryRechargeVoltage", 22, "has to be above the battery cut-off voltage, which is 23.2 V"],
      ["batteryRedischargeVoltage", 27, "sends PBDV27.0"],
      ["batteryRedischargeVoltage", 28, "has to be not above the float charging voltage, which is 27 V"],
      ["batteryFloatVoltage", 27.5, "sends PBFT27.5"],
      ["batteryFloatVoltage", 26.9, "has to be not below the back-to-battery voltage, which is 27.5 V"],
    ])("%s to %s: %s", (name, value, outcome) => {
      expect(refusal(name, value, odd)).toContain(outcome);
    });
  });

  test("of a battery type that brings its own are not offered, and the reason names the type", () => {
    for (const type of ["agm", "flooded", "pylontech"]) {
      const typed = factsOf("max", { values: { ...max, batteryType: type } });
      for (const name of ["batteryBulkVoltage", "batteryFloatVoltage", "batteryCutOffVoltage"])
        expect(allowed(name, typed)).toMatchObject({ because: "locked", reason: expect.stringContaining(`the battery type is ${type}`) });
      expect(allowed("batteryRechargeVoltage", typed)).toMatchObject({ kind: "range" });
    }
  });

  test("equalization is for flooded and user-defined batteries only", () => {
    const lithium = factsOf("max", { values: { ...max, batteryType: "pylontech" } });
    for (const name of ["equalizationVoltage", "equalizationEnabled", "equalizationActive"]) {
      expect(allowed(name, lithium)).toMatchObject({ because: "locked" });
      expect(allowed(name, factsOf("max", { values: { ...max, batteryType: "flooded" } })).kind).not.toBe("none");
    }
    expect(refusal("equalizationVoltage", 53.9, facts)).toContain("not below the float charging voltage, which is 54 V");
  });

  test("are the narrowest of all papers on a make that is not known, and wider only where the user wants that", () => {
    const unknown = factsOf("unknown", { values: max });
    expect(allowed("batteryCutOffVoltage", unknown)).toEqual({ kind: "range", min: 42, max: 48, step: 0.1 });
    expect(allowed("batteryCutOffVoltage", { ...unknown, wide: true })).toEqual({ kind: "range", min: 40, max: 54, step: 0.1 });
    for (const family of ["king", "mks2"])
      expect(allowed("batteryCutOffVoltage", factsOf(family, { values: max }))).toEqual({ kind: "range", min: 40, max: 54, step: 0.1 });
  });

  test("are the narrowest on makes whose papers print none", () => {
    for (const family of ["max", "max2", "max-twin", "lv6548", "vm4", "vm4-twin", "mks3", "mks4"]) {
      const facts48 = factsOf(family, { values: max });
      expect([family, allowed("batteryCutOffVoltage", facts48)]).toEqual([family, { kind: "range", min: 42, max: 48, step: 0.1 }]);
      expect([family, allowed("batteryBulkVoltage", facts48)]).toEqual([family, { kind: "range", min: 48, max: 58.4, step: 0.1 }]);
    }
  });

  test("of a battery that no paper has a range for are not offered", () => {
    expect(allowed("batteryBulkVoltage", factsOf("max", { values: { ...max, ratedBatteryVoltage: 36 } }))).toEqual({
      kind: "none",
      because: "locked",
      reason: "no range is known for a battery of 36 V",
    });
    expect(allowed("batteryCutOffVoltage", factsOf("hs", { battery: 12 }))).toMatchObject({ because: "locked" });
  });

  test("every change that is let through leaves order where there was order", () => {
    const names = [
      "batteryCutOffVoltage",
      "batteryRechargeVoltage",
      "batteryRedischargeVoltage",
      "batteryFloatVoltage",
      "batteryBulkVoltage",
    ] as const;
    let values: Values = max;
    let applied = 0;
    // A walk of 2,000 wishes in a fixed order, most of them senseless.
    for (let step = 0, seed = 1; step < 2000; step++) {
      seed = (seed * 48271) % 2147483647;
      const name = names[seed % names.length]!;
      const value = Math.round(400 + ((seed >> 4) % 250)) / 10;
      if (!refusal(name, value, factsOf("king", { values })).startsWith("sends")) continue;
      values = { ...values, [name]: value };
      applied++;
      const [cutOff, recharge, redischarge, float, bulk] = names.map((each) => values[each] as number) as [
        number,
        number,
        number,
        number,
        number,
      ];
      expect([cutOff < recharge, recharge < redischarge, redischarge <= float, float <= bulk]).toEqual([true, true, true, true]);
    }
    expect(applied).toBeGreaterThan(50);
  });
});

describe("options", () => {
  test("are those that the unit shows, one letter a command", () => {
    const facts = factsOf("max", { values: { enabledFlags: ["buzzer"], disabledFlags: ["lcdBacklight", "unknown:n"] } });
    expect(commandsOf("buzzer", false, facts)).toEqual(["PDa"]);
    expect(commandsOf("lcdBacklight", true, facts)).toEqual(["PEx"]);
    expect(allowed("powerSaving", facts)).toMatchObject({ because: "lacking" });
    expect(settings.filter(({ info }) => info.name === "batteryConnected" || info.name.startsWith("unknown"))).toEqual([]);
  });
});

describe("what cannot be read back", () => {
  test("is offered on makes whose papers name it, and else only where the user wants the wide range", () => {
    for (const name of ["eraseDataLog", "clearSecondOutputWarning", "logoLight", "dataLogPeriod"]) {
      expect(allowed(name, factsOf("unknown"))).toMatchObject({ because: "lacking" });
      expect(allowed(name, factsOf("unknown", { wide: true })).kind).toBe("list");
    }
    expect(allowed("logoLight", factsOf("max2")).kind).toBe("list");
    expect(allowed("logoLight", factsOf("max"))).toMatchObject({ because: "lacking" });
  });
});

test.each(["revo", "split-phase"])("nothing is set on a %s unit, which only looks like one of these", (family) => {
  const facts = factsOf(family, { wide: true });
  for (const { allowed: offered } of settings)
    expect(offered(facts)).toMatchObject({ because: "lacking", reason: expect.stringContaining("set it at the unit") });
});

describe("the output voltage", () => {
  test("is set by the command of the make", () => {
    expect(commandsOf("outputVoltageSetting", 230, factsOf("max"))).toEqual(["V230"]);
    expect(commandsOf("outputVoltageSetting", 120, factsOf("max", { lowVoltage: true }))).toEqual(["V120"]);
    expect(commandsOf("outputVoltageSetting", 240, factsOf("mks3"))).toEqual(["POPV2400"]);
  });
  test("of 120 V is not set where the only command has no such value", () => {
    for (const family of ["mks2", "mks3", "mks4", "phocos"])
      expect(allowed("outputVoltageSetting", factsOf(family, { lowVoltage: true, wide: true }))).toMatchObject({ because: "lacking" });
  });
});

describe("what only some models of a paper have", () => {
  test("a limit for the sun alone: a Plus, and no other model of D15", () => {
    const silent = { selectableSolarChargeCurrents: undefined } as unknown as Values;
    expect(allowed("maxSolarChargeCurrent", factsOf("older", { values: silent }))).toMatchObject({ because: "lacking" });
    expect(allowed("maxSolarChargeCurrent", factsOf("plus", { values: silent }))).toMatchObject({ because: "locked" });
    expect(allowed("maxSolarChargeCurrent", factsOf("plus"))).toEqual({ kind: "list", values: [10, 20, 30, 40] });
  });
  test("a second output's commands go to units that tell of one", () => {
    for (const wide of [false, true]) {
      const facts = factsOf("mks3", { wide });
      expect(allowed("clearSecondOutputWarning", facts).kind).toBe("list");
      const { secondOutputOn: _, ...values } = facts.values;
      expect(allowed("clearSecondOutputWarning", { ...facts, values })).toMatchObject({ because: "lacking" });
    }
    expect(allowed("secondOutputOn", factsOf("mks2"))).toMatchObject({ because: "lacking" });
    expect(allowed("pvPowerBalance", factsOf("vm4"))).toMatchObject({ because: "lacking" });
    expect(allowed("pvPowerBalance", factsOf("vm4-twin")).kind).toBe("list");
  });
  test("battery locks: of the makes of DMK2 those of Phocos alone", () => {
    for (const family of ["max", "max2", "mks4", "vm4", "phocos", "unknown"])
      expect([family, allowed("batteryControl", factsOf(family)).kind]).toEqual([family, "list"]);
    for (const family of ["mks2", "mks3", "king"]) {
      expect([family, allowed("batteryControl", factsOf(family, { wide: true }))]).toMatchObject([family, { because: "lacking" }]);
      expect(classify("PBATCD011", factsOf(family)).kind).toBe("unknown");
    }
  });
  test("battery types are those of the papers", () => {
    const typesOf = (family: string) => allowed("batteryType", factsOf(family));
    expect(typesOf("mks2")).toMatchObject({ values: expect.not.arrayContaining(["bak", "lib", "lic"]) });
    for (const family of ["mks3", "mks4", "king", "vm3", "max"])
      expect(typesOf(family)).toMatchObject({ values: expect.arrayContaining(["lic"]) });
    for (const family of ["hs", "mks", "older", "plus", "unknown"])
      expect([family, typesOf(family)]).toEqual([family, { kind: "list", values: ["agm", "flooded", "userDefined"] }]);
  });
});

test("a calibration command in small letters is barred as well", () => {
  for (const command of ["psdf", "Bta1048.00", "sid14", "pbms0 050", "pset1"])
    expect(classify(command, factsOf("max")).kind).toBe("forbidden");
  expect(classify("PBFT54.0", factsOf("max")).kind).toBe("setting");
});

describe("the clock", () => {
  const { matches } = findSetting("unitClock").readBack!;
  test("that was set is still set when it has gone on", () => {
    expect(matches!("2026-12-31T23:59:58", "2027-01-01T00:00:20")).toBe(true);
    expect(matches!("2026-03-01T12:00:00", "2026-03-01T11:59:56")).toBe(true);
    expect(matches!("2026-03-01T12:00:00", "2026-03-01T11:59:00")).toBe(false);
    expect(matches!("2026-03-01T12:00:00", "2026-03-01T12:02:00")).toBe(false);
  });
  test("takes no day that does not exist", () => {
    expect(refusal("unitClock", "2026-02-29T12:00:00", factsOf("max"))).toContain("a day that its month does not have");
    expect(commandsOf("unitClock", "2028-02-29T12:00:00", factsOf("max"))).toEqual(["DAT280229120000"]);
  });
});

describe("charging and discharging", () => {
  test("are not both locked, unless the user wants the wide range", () => {
    expect(refusal("batteryControl", "bothOffStandby", factsOf("max"))).toContain("expected");
    expect(refusal("batteryControl", "bothOffStandby", factsOf("max", { wide: true }))).toBe("sends PBATCD100");
  });
});

describe("effects", () => {
  const seen = (name: string, value: SettingValue, values: Values) => findSetting(name).effect!.seen(values, value);

  test("of the output source priority: the mode, where the grid is there", () => {
    expect(seen("outputSourcePriority", "sbu", { operatingMode: "battery", gridVoltage: 230 })).toBe(true);
    expect(seen("outputSourcePriority", "sbu", { operatingMode: "line", gridVoltage: 230 })).toBe(false);
    expect(seen("outputSourcePriority", "utilityFirst", { operatingMode: "line", gridVoltage: 230 })).toBe(true);
    expect(seen("outputSourcePriority", "utilityFirst", { operatingMode: "battery", gridVoltage: 0 })).toBeUndefined();
    expect(seen("outputSourcePriority", "utilityFirst", { operatingMode: "fault", gridVoltage: 230 })).toBeUndefined();
    expect(seen("outputSourcePriority", "solarFirst", { operatingMode: "line", gridVoltage: 230 })).toBeUndefined();
  });

  test("of a charge current: nothing above it, while the battery is charged from there", () => {
    const charging = { deviceStatus: ["charging", "solarCharging"], batteryChargeCurrent: 40 };
    expect(seen("maxChargeCurrent", 30, charging)).toBe(false);
    expect(seen("maxChargeCurrent", 40, charging)).toBe(true);
    expect(seen("maxAcChargeCurrent", 30, charging)).toBeUndefined();
    expect(seen("maxChargeCurrent", 30, { deviceStatus: [], batteryChargeCurrent: 0 })).toBeUndefined();
  });
});
