import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SettingState } from "../../model/control.ts";
import type { Values } from "../../model/reading.ts";
import { findSetting, settings } from "../../protocol/pi30/settings/catalogue.ts";
import { writes, type UnitFacts } from "../../protocol/setting.ts";
import { mismatch, parseSheet, planOfSheet, sheetText, wantedOf } from "./sheet.ts";

const values: Values = {
  ratedBatteryVoltage: 48,
  batteryType: "userDefined",
  batteryRechargeVoltage: 46,
  batteryRedischargeVoltage: 52,
  batteryCutOffVoltage: 42,
  batteryBulkVoltage: 56.4,
  batteryFloatVoltage: 54,
  outputSourcePriority: "solarFirst",
  maxAcChargeCurrent: 30,
  selectableAcChargeCurrents: [2, 10, 20, 30, 40],
};
const facts = (more: Values = {}): UnitFacts => ({ family: "max", unit: 0, wide: false, values: { ...values, ...more } });

describe("a plan", () => {
  it("tells what changes, what is the same and what cannot be", () => {
    const plan = planOfSheet(
      { outputSourcePriority: "sbu", batteryFloatVoltage: 54, batteryBulkVoltage: 99, nonsense: 1, unitClock: "2026-01-01T00:00:00" },
      facts(),
      settings,
    );
    expect(plan.steps).toEqual([{ setting: "outputSourcePriority", from: "solarFirst", to: "sbu" }]);
    expect(plan.same).toEqual(["batteryFloatVoltage"]);
    expect(plan.problems.map(({ setting }) => setting).toSorted()).toEqual(["batteryBulkVoltage", "nonsense", "unitClock"]);
  });

  it("raises the upper voltages before the lower ones and lowers them the other way round", () => {
    const order = (wanted: Record<string, number>, from: Values): string[] => {
      const plan = planOfSheet(wanted, facts(from), settings);
      expect(plan.problems).toEqual([]);
      return plan.steps.map(({ setting }) => setting);
    };
    const up = order({ batteryFloatVoltage: 57, batteryBulkVoltage: 58 }, { batteryFloatVoltage: 54, batteryBulkVoltage: 55 });
    expect(up).toEqual(["batteryBulkVoltage", "batteryFloatVoltage"]);
    const down = order({ batteryFloatVoltage: 52, batteryBulkVoltage: 53 }, { batteryFloatVoltage: 54, batteryBulkVoltage: 55 });
    expect(down).toEqual(["batteryFloatVoltage", "batteryBulkVoltage"]);
  });

  it("between any two sets in order is complete, and allowed at every step", () => {
    const sorted = fc
      .uniqueArray(fc.integer({ min: 480, max: 584 }), { minLength: 3, maxLength: 3 })
      .map((tenths) => tenths.toSorted((one, other) => one - other).map((tenth) => tenth / 10));
    const set = ([cutOff, float, bulk]: readonly number[]): Record<string, number> => ({
      batteryCutOffVoltage: Math.min(cutOff ?? 0, 48) - 4,
      batteryFloatVoltage: float ?? 0,
      batteryBulkVoltage: bulk ?? 0,
    });
    fc.assert(
      fc.property(sorted, sorted, (from, to) => {
        const low = { batteryRechargeVoltage: 46, batteryRedischargeVoltage: 0 };
        const plan = planOfSheet(set(to), facts({ ...low, ...set(from) }), settings);
        expect(plan.problems).toEqual([]);
        let present = facts({ ...low, ...set(from) });
        for (const { setting: name, to: value } of plan.steps) {
          const setting = findSetting(name);
          expect(writes(setting, value, present).length).toBeGreaterThan(0);
          present = { ...present, values: setting.readBack!.changed(present.values, value, present) };
        }
        expect(present.values).toMatchObject(set(to));
      }),
    );
  });
});

describe("a sheet", () => {
  it("of another inverter leaves alone what says which place that one has among others", () => {
    const sheet = { inverter: "l1", family: "max", wanted: { outputMode: "phase1Of3", outputSourcePriority: "sbu" } };
    expect(wantedOf(sheet, "l2", settings)).toEqual({ wanted: { outputSourcePriority: "sbu" }, leftAlone: ["outputMode"] });
    expect(wantedOf(sheet, "l1", settings)).toEqual({ wanted: sheet.wanted, leftAlone: [] });
  });

  const states: SettingState[] = [
    { info: findSetting("outputSourcePriority").info, value: "sbu", allowed: { kind: "list", values: ["sbu", "solarFirst"] } },
    { info: findSetting("batteryFloatVoltage").info, value: 54, reason: "# strange { text }", locked: true },
    { info: findSetting("buzzer").info, value: false, allowed: { kind: "list", values: [true, false] } },
    { info: findSetting("operationLogic").info, value: "automatic", reason: "models of this family\nhave no such setting" },
    { info: findSetting("unitClock").info, value: "2026-01-01T00:00:00" },
    { info: findSetting("factoryReset").info, allowed: { kind: "list", values: [true] } },
  ];
  const head = { inverter: "garage", family: "max", time: "2026-01-01T00:00:00Z", simulated: true };

  it("comes back as it was written, one line a setting, without clock and resets", () => {
    const text = sheetText(head, states);
    expect(text).toContain("- { program: 1, name: outputSourcePriority, value: sbu } #");
    expect(text).toContain("SIMULATED");
    expect(parseSheet(text, "sheet.yaml")).toEqual({
      inverter: "garage",
      family: "max",
      wanted: { outputSourcePriority: "sbu", batteryFloatVoltage: 54, buzzer: "off" },
    });
  });

  it("has what can never be given back below, as comments with the reason", () => {
    const text = sheetText(head, states);
    expect(text.split("\n").slice(-4)).toEqual([
      "# Told by the unit, and not to be given back:",
      "#   operationLogic: automatic (models of this family have no such setting)",
      "#   unitClock: 2026-01-01T00:00:00 (a clock goes on)",
      "",
    ]);
    expect(text).toContain("value: 54, unit: V } # Float charging voltage: not at the moment: # strange { text }");
    expect(text).not.toContain("factoryReset");
    const none = sheetText(head, []);
    expect(parseSheet(none, "sheet.yaml").wanted).toEqual({});
  });

  it.each(["on", "off", "yes", "no", "true", "false", "ON"])("takes %s for a switch", (word) => {
    const { wanted } = parseSheet(`sheet: 1\nfamily: max\nsettings: [{name: buzzer, value: ${word}}]`, "sheet.yaml");
    const isOn = ["on", "yes", "true"].includes(word.toLowerCase());
    const plan = planOfSheet(wanted, facts({ enabledFlags: [], disabledFlags: ["buzzer"] }), settings);
    expect(plan).toEqual(
      isOn
        ? { steps: [{ setting: "buzzer", from: false, to: true }], same: [], problems: [] }
        : { steps: [], same: ["buzzer"], problems: [] },
    );
  });

  it.each([
    ["", /expected a sheet/],
    ["sheet: 2\nfamily: max\nsettings: []", /sheet: expected a sheet/],
    ["sheet: 1\nfamily: max\nsettings: [{name: a, value: [1]}]", /settings.0.value/],
    ["sheet: 1\nfamily: max\nsettings: [{name: a, value: 1}, {name: a, value: 2}]", /each setting once, got a twice/],
    ["sheet: [1", /in YAML/],
  ])("that is none is refused with its place: %j", (text, message) => {
    expect(() => parseSheet(text, "sheet.yaml")).toThrow(message);
  });

  it("is for the same inverter or the same known family", () => {
    const sheet = { inverter: "garage", family: "max", wanted: {} };
    expect(mismatch(sheet, { inverter: "garage", family: "unknown" })).toBeUndefined();
    expect(mismatch(sheet, { inverter: "shed", family: "max" })).toBeUndefined();
    expect(mismatch(sheet, { inverter: "shed", family: "king" })).toMatch(/family max, and shed is of the family king/);
    expect(mismatch({ ...sheet, family: "unknown" }, { inverter: "shed", family: "unknown" })).toMatch(/something else/);
  });
});
