import { describe, expect, test } from "vitest";
import type { Values } from "../../model/reading.ts";
import { decodeReply } from "../decode.ts";
import { explainFault, explainWarnings, faultCodeOf } from "./explain.ts";
import { families } from "./family-list.ts";
import { faults } from "./faults.ts";
import { QPIWS } from "./warnings.ts";
import { commonWarnings, placedWarnings } from "./warning-list.ts";
import { request } from "../command.ts";

function valuesOf(bits: string): Values {
  const reply = decodeReply(request(QPIWS), { body: bits });
  if (reply.kind !== "data") throw new Error(`expected data, got ${reply.kind}`);
  return reply.values;
}

/** `length` characters with ones at these positions. */
const bits = (length: number, ...set: readonly number[]): string =>
  Array.from({ length }, (_, position) => (set.includes(position) ? "1" : "0")).join("");
const withCode = (at: number, code: string, ...set: readonly number[]): string => {
  const text = bits(36, 1, ...set);
  return text.slice(0, at) + code + text.slice(at + 2);
};
const severities = (text: string, family: string): Record<string, string> =>
  Object.fromEntries(explainWarnings(valuesOf(text), family).map(({ key, severity }) => [key, severity]));

describe("warnings", () => {
  test("no sun is no news, a failed grid is a warning, a high bus voltage a fault", () => {
    expect(severities(bits(32, 0, 2, 5), "mks")).toEqual({ pvLoss: "info", busVoltageOver: "fault", gridFailed: "warning" });
  });

  test.each([
    [9, "overTemperature"],
    [10, "fanLocked"],
    [11, "batteryVoltageHigh"],
    [16, "overload"],
  ])("position %d is a fault only while the inverter fault is set", (position, key) => {
    for (const length of [32, 36, 38]) {
      expect(severities(bits(length, position), "unknown")).toEqual({ [key]: "warning" });
      expect(severities(bits(length, 1, position), "unknown")).toEqual({ inverterFault: "fault", [key]: "fault" });
    }
  });

  test("no other severity depends on the inverter fault", () => {
    for (let position = 0; position < 38; position++) {
      if ([1, 9, 10, 11, 16].includes(position)) continue;
      const { inverterFault, ...others } = severities(bits(38, 1, position), "plus");
      expect(inverterFault).toBe("fault");
      expect(severities(bits(38, position), "plus")).toEqual(others);
    }
  });

  test("a KING means other things by positions 27 and 30", () => {
    expect(severities(bits(32, 27, 30), "mks")).toEqual({ mpptOverload: "warning", position30: "info" });
    expect(severities(bits(36, 27, 30), "king")).toEqual({ mpptOverload: "fault", position30: "fault" });
    expect(explainWarnings(valuesOf(bits(36, 30)), "king")[0]?.title).toBe("DC/DC over current");
  });

  test("a split-phase unit means overcharging by position 13, which all others keep for later use", () => {
    expect(severities(bits(32, 13, 30), "split-phase")).toEqual({ overcharge: "fault", position30: "warning" });
    expect(explainWarnings(valuesOf(bits(32, 13, 30)), "split-phase").map(({ title }) => title)).toEqual([
      "Battery overcharged",
      "Slave unit",
    ]);
    expect(severities(bits(32, 13, 30), "mks")).toEqual({ overcharge: "info", position30: "info" });
  });

  test("a second and third solar charger have warnings of their own", () => {
    expect(Object.keys(severities(bits(38, 30, 31, 32, 33, 34, 35, 36, 37), "plus"))).toEqual([
      "pv2VoltageHigh",
      "mppt2Overload",
      "mppt2OverloadWarning",
      "batteryTooLowToCharge2",
      "pv3VoltageHigh",
      "mppt3Overload",
      "mppt3OverloadWarning",
      "batteryTooLowToCharge3",
    ]);
  });

  test("positions between the digits of a fault code and the rest are told where the make has them", () => {
    const at48 = { ratedBatteryVoltage: 48 };
    const keys = (values: Values, family: string): string[] => explainWarnings(values, family).map(({ key }) => key);
    expect(keys(valuesOf(bits(36, 33)), "vm3")).toEqual(["lowPvEnergy"]);
    expect(keys({ ...valuesOf(bits(36, 31)), ...at48 }, "max")).toEqual(["batteryWeak"]);
    for (const family of ["max2", "max-twin", "lv6548", "mks4"])
      expect([family, keys({ ...valuesOf(bits(36, 31)), ...at48 }, family)]).toEqual([family, ["batteryWeak"]]);
    expect(keys({ ...valuesOf(bits(36, 31)), ratedBatteryVoltage: 24 }, "max")).toEqual([]);
    // A Phocos unit shows a steady 1 there.
    expect(keys({ ...valuesOf(bits(36, 0, 31)), ...at48 }, "phocos")).toEqual(["pvLoss"]);
    expect(keys(valuesOf(bits(36, 31, 32, 33)), "unknown")).toEqual([]);
  });

  test("without warnings there is nothing to explain, and a strange word is kept", () => {
    expect(explainWarnings({}, "max")).toEqual([]);
    expect(explainWarnings({ warnings: ["somethingNew"] }, "max")).toMatchObject([{ key: "somethingNew", severity: "warning" }]);
  });

  test("every one has words for people, and its family exists", () => {
    const known = new Set(families.map(({ key }) => key));
    const all = [...commonWarnings, ...placedWarnings];
    expect(new Set(all.map(({ key }) => key)).size).toBe(all.length);
    for (const each of all) {
      for (const text of [each.explanation, each.advice]) expect(text).toMatch(/^[A-Z].*\.$/);
      const named = [...Object.keys(each.differs ?? {}), ...((each as { families?: readonly string[] }).families ?? [])];
      expect(named.filter((family) => !known.has(family))).toEqual([]);
    }
  });
});

describe("fault codes", () => {
  test("no fault is none", () => {
    expect(explainFault("00", "max")).toBeUndefined();
  });
  test.each([
    ["07", "max", "Overload for too long"],
    ["11", "mks", "Main relay failed"],
    ["11", "max", "PV voltage too high"],
    ["11", "king", "PV voltage too high"],
    ["11", "unknown", "Main relay failed, or: PV voltage too high"],
    ["52", "hs", "Bus start-up failed"],
    ["52", "max2", "Bus voltage too low"],
    ["72", "max", "Current is not shared"],
    ["72", "mks2", "Output circuit failed"],
    ["85", "king", "Grid current unbalanced"],
    ["85", "mks4", "Output current unbalanced"],
    ["05", "max", "Short circuit at the output"],
    ["11", "split-phase", "Main relay failed"],
    ["52", "split-phase", "Bus start-up failed"],
    ["85", "split-phase", "Grid current unbalanced"],
    ["42", "max", "Fault 42"],
  ])("%s on %s", (code, family, title) => {
    expect(explainFault(code, family)).toMatchObject({ key: code, title, severity: "fault" });
  });
  test("every one has words for people", () => {
    for (const { code, explanation, advice } of faults) {
      expect(code).toMatch(/^\d\d$/);
      for (const text of [explanation, advice]) expect(text).toMatch(/^[A-Z].*\.$/);
    }
  });
});

describe("the fault code that stands", () => {
  test.each([
    ["king", 32, {}],
    ["max", 32, { ratedBatteryVoltage: 48 }],
    ["max", 31, { ratedBatteryVoltage: 24 }],
    ["vm3", 31, {}],
    ["vm4", 31, {}],
    ["mks4", 32, {}],
  ])("within QPIWS of a %s at position %d", (family, at, more) => {
    const values = { ...valuesOf(withCode(at, "07", 16)), ...more };
    expect(faultCodeOf(values, family)).toBe("07");
    expect(explainWarnings(values, family).map(({ key }) => key)).toEqual(["inverterFault", "overload"]);
  });
  test("digits count only while there is a fault", () => {
    const digits = `${bits(32)}0700`;
    expect(faultCodeOf(valuesOf(digits), "king")).toBeUndefined();
    expect(faultCodeOf({ ...valuesOf(digits), operatingMode: "fault" }, "king")).toBe("07");
  });
  test("is not guessed where the place is not known", () => {
    expect(faultCodeOf(valuesOf(withCode(32, "07")), "unknown")).toBeUndefined();
    expect(faultCodeOf(valuesOf(withCode(32, "07")), "max")).toBeUndefined();
    expect(faultCodeOf(valuesOf(bits(32, 1)), "king")).toBeUndefined();
  });
  test("QPGSn says it plainly and wins", () => {
    expect(faultCodeOf({ ...valuesOf(withCode(32, "07")), faultCode: "08" }, "king")).toBe("08");
  });
});
