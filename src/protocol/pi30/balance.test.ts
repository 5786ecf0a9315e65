import { describe, expect, it } from "vitest";
import type { Values } from "../../model/reading.ts";
import { balanceOf, type BalanceInput } from "./balance.ts";

const island: Values = { pv1Power: 1000, loadActivePower: 600, loadApparentPower: 700, batteryVoltage: 53.2, batteryPower: -319 };

function verdict(status: Values, more: Partial<BalanceInput> = {}): ReturnType<typeof balanceOf> {
  return balanceOf({ status: { ...island, ...status }, hasSecond: false, mode: "battery", ratedApparentPower: 5000, ...more });
}

describe("off the grid", () => {
  it("holds where PV and battery give what load and losses take", () => {
    expect(verdict({})).toEqual({ kind: "balanced" });
  });

  it("fails by what is too much, and by what is missing", () => {
    expect(verdict({ pv1Power: 2000 })).toMatchObject({ kind: "unbalanced", watts: expect.closeTo(591, 0) as number });
    expect(verdict({ pv1Power: 400 })).toMatchObject({ kind: "unbalanced", watts: -519 });
  });

  it("allows for a battery current of whole amperes that shows small ones as 0", () => {
    // MAX II and EASUN captures, in which the battery seems to do nothing.
    const none = { batteryVoltage: 54.3, batteryPower: 0 };
    const second = { pv2Power: 205 };
    const rated = { ratedApparentPower: 8000, hasSecond: true, second };
    expect(verdict({ ...none, pv1Power: 226, loadActivePower: 499, loadApparentPower: 551 }, rated)).toEqual({ kind: "balanced" });
    expect(verdict({ ...none, pv1Power: 473, loadActivePower: 205, loadApparentPower: 322 })).toEqual({ kind: "balanced" });
  });

  it("counts the second phase of a split-phase unit", () => {
    const second = { l2LoadActivePower: 800, pv2Power: 900 };
    expect(verdict({}, { hasSecond: true, second })).toEqual({ kind: "balanced" });
  });
});

describe("on the grid", () => {
  const line = { mode: "line" } as const;
  const charging = ["loadOn", "charging", "solarCharging"];

  it("fails where the battery takes more from the sun than PV gives", () => {
    const taken = { deviceStatus: charging, batteryPower: -1500 };
    expect(verdict({ ...taken, pv1Power: 1450 }, line)).toEqual({ kind: "balanced" });
    expect(verdict({ ...taken, pv1Power: 700 }, line)).toMatchObject({ kind: "unbalanced", watts: -800 });
  });

  it("takes what the grid charges for the grid's, where it is told", () => {
    const taken = { deviceStatus: [...charging, "acCharging"], batteryPower: -1500, pv1Power: 700 };
    expect(verdict(taken, line)).toMatchObject({ kind: "untold" });
    expect(verdict(taken, { ...line, hasSecond: true, second: { acChargePower: 800 } })).toEqual({ kind: "balanced" });
  });

  it("knows too much only where nothing is fed in", () => {
    const much = { deviceStatus: charging, batteryPower: -500, pv1Power: 3000 };
    expect(verdict(much, line)).toEqual({ kind: "balanced" });
    expect(verdict({ ...much, solarFeedToGrid: false }, line)).toMatchObject({ kind: "unbalanced" });
    expect(verdict({ ...much, solarFeedToGrid: true }, line)).toEqual({ kind: "balanced" });
  });
});

it.each([
  ["the mode is not known", {}, { mode: undefined }],
  ["in standby", {}, { mode: "standby" }],
  ["the second status is late", {}, { hasSecond: true }],
  ["an input has volts and no watts", { pv2Voltage: 230 }, {}],
  ["there is no PV power", { pv1Power: "?" }, {}],
  ["the load is not told", { loadActivePower: "?" }, {}],
  ["the battery is not told", { batteryPower: "?" }, {}],
] as const)("cannot tell where %s", (_, status, more) => {
  expect(verdict(status, more)).toMatchObject({ kind: "untold", because: expect.stringMatching(/\w/) as string });
});
