import { describe, expect, it } from "vitest";
import { QPIRI } from "../protocol/pi30/ratings.ts";
import { QPIGS } from "../protocol/pi30/status.ts";
import { QFLAG } from "../protocol/pi30/warnings.ts";
import { fillForm, patched, readForm } from "./form.ts";

const older = "230.0 13.0 230.0 50.0 13.0 3000 2400 24.0 23.0 21.0 28.2 27.0 0 30 50 0 2 1 - 01 1 0 26.0 0 0";
const clone = "230.0 18.2 230.0 50.0 18.2 4200 4200 24.0 23.0 21.0 28.2 27.0 2 30 060 0 2 2 1 01 0 0 26.0 0 1 25.5 02 22.0";
const status = "230.5 50.0 230.5 50.0 0460 0414 009 380 26.40 005 085 0620 0004 065.2 26.38 00000 00010110";

describe("a form", () => {
  it.each([older, clone])("is itself when its own values are put into it: %s", (form) => {
    expect(fillForm(QPIRI, form, readForm(QPIRI, form))).toBe(form);
  });

  it("keeps its widths, takes more room where a number needs it, and keeps what it never has", () => {
    const filled = fillForm(QPIRI, older, {
      maxChargeCurrent: 8,
      maxAcChargeCurrent: 100,
      ratedApparentPower: 11_000,
      maxParallelUnits: 9,
    });
    expect(filled).toBe("230.0 13.0 230.0 50.0 13.0 11000 2400 24.0 23.0 21.0 28.2 27.0 0 100 08 0 2 1 - 01 1 0 26.0 0 0");
    expect(readForm(QPIRI, older)).not.toHaveProperty("maxParallelUnits");
  });

  it("keeps what stands behind the documented fields, and adds none", () => {
    expect(fillForm(QPIRI, clone, { maxCvChargeTime: 60, batteryBulkVoltage: 28.8 })).toBe(clone.replace("28.2", "28.8"));
  });

  it("decides which of two meanings a place has", () => {
    const both = { heatSinkTemperature: 45, heatSinkRaw: 598, pvChargeCurrent: 12, pv1Current: 3.4 };
    expect(fillForm(QPIGS, status, both).split(" ").slice(11, 13)).toEqual(["0598", "0012"]);
    const newer = status.replace("0620 0004", "0045 03.1");
    expect(fillForm(QPIGS, newer, both).split(" ").slice(11, 13)).toEqual(["0045", "03.4"]);
  });

  it("may be one piece", () => {
    expect(fillForm(QFLAG, "EaxDb", { disabledFlags: ["overloadBypass", "unknown:q"] })).toBe("EaxDbq");
    expect(fillForm(QFLAG, "nothing of the kind", { enabledFlags: [] })).toBe("nothing of the kind");
  });
});

it("numbers can be put in by their place", () => {
  expect(patched("25.6 095 ", { 0: 26.25, 1: 7 })).toBe("26.3 007 ");
});
