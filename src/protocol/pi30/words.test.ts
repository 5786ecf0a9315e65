import { expect, test } from "vitest";
import { inWordsOf } from "./words.ts";

test("priorities are in the words of the family, everything else is left alone", () => {
  const values = { outputSourcePriority: "solarFirst", chargerSourcePriority: "solarAndUtility", batteryType: "agm", batteryVoltage: 52 };
  expect(inWordsOf("max", values)).toEqual(values);
  expect(inWordsOf("king", values)).toEqual({ ...values, chargerSourcePriority: "loadFirstGridMayCharge" });
  expect(inWordsOf("vm2-4000", values)).toEqual({ ...values, outputSourcePriority: "sbu", chargerSourcePriority: "onlySolar" });
});

test("lists of them as well; what has no word keeps its code", () => {
  expect(inWordsOf("vm2-4000", { outputSourcePriorityByHour: ["utilityFirst", "solarFirst", "sbu"] })).toEqual({
    outputSourcePriorityByHour: ["solarFirst", "sbu", "unknown:2"],
  });
  expect(inWordsOf("max", { outputSourcePriority: "unknown:3" })).toEqual({ outputSourcePriority: "unknown:3" });
});

test("values without priorities are the same object", () => {
  const values = { gridVoltage: 230 };
  expect(inWordsOf("king", values)).toBe(values);
});
