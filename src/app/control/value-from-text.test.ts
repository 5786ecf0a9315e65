import { expect, it } from "vitest";
import type { SettingState } from "../../model/control.ts";
import type { Allowed, SettingValue } from "../../model/setting.ts";
import { valueFromText } from "./value-from-text.ts";

const state = (allowed: Allowed | undefined, value?: SettingValue, unit?: "A" | "V"): SettingState => ({
  info: { name: "x", label: "X", explanation: "", topic: "output", level: "everyday", ...(unit && { unit }) },
  ...(allowed && { allowed }),
  ...(value !== undefined && { value }),
});
const words: Allowed = { kind: "list", values: ["utilityFirst", "solarFirst", "sbu"] };
const currents: Allowed = { kind: "list", values: [2, 10, 20] };
const onOff: Allowed = { kind: "list", values: [true, false] };
const volts: Allowed = { kind: "range", min: 48, max: 58.4, step: 0.1 };

it.each<[string, SettingState, SettingValue]>([
  ["sbu", state(words), "sbu"],
  ["Solar first", state(words), "solarFirst"],
  ["solar-first", state(words), "solarFirst"],
  ["POP02; reboot", state(words), "POP02; reboot"],
  ["10", state(currents, 2, "A"), 10],
  ["10 A", state(currents, 2, "A"), 10],
  ["010", state(currents, 2, "A"), 10],
  ["11A", state(currents, 2, "A"), 11],
  ["-10", state(currents, 2, "A"), -10],
  ["1,0", state(currents, 2, "A"), "1,0"],
  ["1.0", state(currents, 2, "A"), 1],
  ["2 0", state(currents, 2, "A"), "2 0"],
  ["20!", state(currents, 2, "A"), "20!"],
  ["２０", state(currents, 2, "A"), "２０"],
  ["!?", state(words), "!?"],
  ["10V", state(currents, 2, "A"), "10V"],
  ["on", state(onOff), true],
  ["False", state(onOff), false],
  ["1e1", state(volts, 50, "V"), "1e1"],
  ["54.4 V", state(volts, 50, "V"), 54.4],
  ["NaN", state(volts, 50, "V"), "NaN"],
  ["on", state(undefined, false), true],
  ["on", state(undefined, "on"), "on"],
  ["5", state(undefined, 4), 5],
])("%s", (text, given, expected) => {
  expect(valueFromText(text, given)).toBe(expected);
});
