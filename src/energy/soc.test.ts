import { describe, expect, test } from "vitest";
import { SimulatedInverter } from "../sim/inverter.ts";
import { estimateSoc, socSampleOf, type SocBattery, type SocSample, type SocState } from "./soc.ts";

const battery: SocBattery = { capacityAh: 200, chemistry: "lithiumIronPhosphate", cells: 16, floatVolts: 54, holdMs: 120_000 };
const start = Date.UTC(2026, 0, 5);
const minute = 60_000;

const course = (samples: readonly SocSample[], from?: SocState): SocState =>
  samples.reduce<SocState | undefined>((state, sample) => estimateSoc(state, sample, battery), from)!;
/** A sample a minute. */
const steady = (minutes: number, sample: Omit<SocSample, "at">, from = start): SocSample[] =>
  Array.from({ length: minutes + 1 }, (_, index) => ({ ...sample, at: from + index * minute }));

const full = course(steady(11, { amperes: -1, volts: 54, float: true }));

describe("our own state of charge", () => {
  test("is unknown until there is something to go by", () => {
    expect(course(steady(5, { amperes: 20, volts: 52 }))).toMatchObject({ band: 50 });
  });

  test("is full once the battery has floated with hardly any current for ten minutes", () => {
    expect(full).toMatchObject({ soc: 100, band: 2, anchor: { kind: "full" } });
    expect(course(steady(9, { amperes: -1, volts: 54, float: true })).anchor).toBeUndefined();
    expect(course(steady(11, { amperes: -30, volts: 54, float: true })).anchor).toBeUndefined();
    expect(course(steady(11, { amperes: -1, volts: 54, float: false })).anchor).toBeUndefined();
    expect(course(steady(11, { amperes: -1, volts: 53.6, float: true })).anchor).toBeUndefined();
  });

  test("counts what comes out, and what goes in by what of it comes out again; the band grows", () => {
    const emptier = course(steady(120, { amperes: 20, volts: 52 }, full.last.at + minute), full);
    expect(emptier.soc).toBeCloseTo(100 - (100 * 20 * (120 / 60)) / 200, 0);
    expect(emptier.band).toBeGreaterThan(full.band);
    const again = course(steady(60, { amperes: -20, volts: 53 }, emptier.last.at + minute), emptier);
    expect(again.soc - emptier.soc).toBeCloseTo(0.99 * 10, 0);
    expect(again.band).toBeGreaterThan(emptier.band);
  });

  test("over a gap stays and is less certain, and a full battery is not full because a gap lay between", () => {
    const later = estimateSoc(full, { at: full.last.at + 60 * minute, amperes: 20, volts: 52 }, battery);
    expect(later).toMatchObject({ soc: 100, band: 22 });
    const two = [
      steady(5, { amperes: -1, volts: 54, float: true }),
      steady(5, { amperes: -1, volts: 54, float: true }, start + 30 * minute),
    ];
    expect(course(two.flat()).anchor).toBeUndefined();
  });

  test("takes the voltage of a battery at rest only where that says more than what is known", () => {
    const rested = course(steady(61, { amperes: 0, volts: 52.64 }));
    expect(rested).toMatchObject({ band: 20, anchor: { kind: "rest" } });
    expect(rested.soc).toBeCloseTo(60, 5);
    expect(course(steady(61, { amperes: 0, volts: 52.64 }, full.last.at + minute), full).soc).toBe(100);
  });

  test("takes its samples from a status, where that tells current and voltage", () => {
    const values = { batteryCurrent: -3, batteryVoltage: 54, chargeStatus: ["floatCharging", "switchedOn"] };
    expect(socSampleOf(start, values)).toEqual({ at: start, amperes: -3, volts: 54, float: true });
    expect(socSampleOf(start, { ...values, chargeStatus: ["switchedOn"] })?.float).toBe(false);
    expect(socSampleOf(start, { batteryCurrent: 2, batteryVoltage: 51 })).toEqual({ at: start, amperes: 2, volts: 51 });
    expect(socSampleOf(start, { batteryVoltage: 51 })).toBeUndefined();
  });

  test("late and repeated samples change nothing", () => {
    expect(estimateSoc(full, full.last, battery)).toBe(full);
  });

  test("of a simulated battery over a week is within its band of the truth, and between full charges the band stays useful", () => {
    const sim = new SimulatedInverter({ seed: 3, start, stepSeconds: 5, soc: 0.4 });
    // 10.24 kWh at the 53 V at which it mostly works.
    const bank: SocBattery = { ...battery, capacityAh: 10_240 / 53 };
    let state: SocState | undefined;
    let worst = 0;
    let widest = 0;
    for (let at = start; at < start + 7 * 86_400_000; at += 30_000) {
      sim.advanceTo(at);
      const amperes = Math.round(sim.battery.milliamperes / 1000);
      const charging = sim.flows.batteryIn > 0;
      state = estimateSoc(
        state,
        { at, amperes, volts: Math.round(sim.battery.millivolts / 100) / 10, float: charging && sim.charger.stage === "float" },
        bank,
      );
      if (state.anchor === undefined) continue;
      worst = Math.max(worst, Math.abs(state.soc - 100 * sim.battery.soc) - state.band);
      if (state.anchor.kind === "full") widest = Math.max(widest, state.band);
    }
    expect(state?.anchor?.kind).toBe("full");
    expect(worst).toBeLessThan(1.5);
    expect(widest).toBeLessThan(15);
  });
});
