import { describe, expect, it } from "vitest";
import { SimulatedInverter, type InverterOptions } from "./inverter.ts";

const hour = 3_600_000;
const newYear = Date.UTC(2026, 0, 1);
/** 13:00 local in summer. */
const noon = newYear + 11 * hour;

function inverter(options: Partial<InverterOptions> = {}): SimulatedInverter {
  return new SimulatedInverter({ seed: 5, start: newYear, ...options });
}

function lossesOf({ flows }: SimulatedInverter): number {
  return Object.values(flows.losses).reduce((sum, loss) => sum + loss, 0);
}

describe("energy", () => {
  it("is conserved exactly in every step of a year, in the flows and in the battery", { timeout: 60_000 }, () => {
    const stepSeconds = 60;
    const sim = inverter({ stepSeconds, sheddingRate: 0.12 });
    const atStart = sim.battery.stored;
    const modes = new Set<string>();
    const stages = new Set<string>();
    let unbalanced = 0;
    let impossible = 0;
    for (let step = 0; step < (365 * 86_400) / stepSeconds; step += 1) {
      sim.advanceTo(newYear + step * stepSeconds * 1000);
      const { pv, grid, batteryOut, load, batteryIn, losses } = sim.flows;
      const offer = sim.offers.reduce((sum, one) => sum + one.milliwatts, 0);
      if (pv + grid + batteryOut !== load + batteryIn + lossesOf(sim)) unbalanced += 1;
      const all = [pv, grid, batteryOut, load, batteryIn, ...Object.values(losses)];
      if (all.some((power) => !Number.isSafeInteger(power) || power < 0) || pv > offer || (batteryIn > 0 && batteryOut > 0))
        impossible += 1;
      modes.add(sim.mode);
      stages.add(sim.charger.stage);
    }
    expect([unbalanced, impossible]).toEqual([0, 0]);
    const { energy } = sim;
    expect(energy.pv + energy.grid + energy.batteryOut).toBe(energy.load + energy.batteryIn + energy.losses);
    expect(sim.battery.stored).toBe(atStart - energy.batteryOut + energy.batteryIn - energy.batteryHeat);
    // A year worth looking at: sun, grid, cycles of the battery, and nothing absurd.
    const kWhADay = (millijoules: number): number => millijoules / 3.6e9 / 365;
    expect(kWhADay(energy.pv)).toBeGreaterThan(8);
    expect(kWhADay(energy.pv)).toBeLessThan(30);
    expect(kWhADay(energy.grid)).toBeGreaterThan(0.2);
    expect(kWhADay(energy.load)).toBeGreaterThan(7);
    expect(kWhADay(energy.losses)).toBeLessThan(0.3 * kWhADay(energy.load));
    expect([...modes]).toEqual(expect.arrayContaining(["line", "battery"]));
    expect([...stages].sort()).toEqual(["absorption", "bulk", "float"]);
  });

  it("stays exact while a discharged battery, an overload and a missing grid follow each other", () => {
    const sim = inverter({ soc: 0.05 });
    sim.conditions.gridAbsent = true;
    const modes = new Set<string>();
    for (let second = 0; second < 30_000; second += 1) {
      if (second === 20_000) sim.conditions.gridAbsent = false;
      sim.conditions.extraLoadWatts = second % 5000 > 4800 ? 9500 : 0;
      sim.advanceTo(newYear + second * 1000);
      modes.add(sim.mode);
      const { pv, grid, batteryOut, load, batteryIn } = sim.flows;
      expect(pv + grid + batteryOut).toBe(load + batteryIn + lossesOf(sim));
    }
    expect(modes).toContain("standby");
  });
});

describe("reproducibility", () => {
  const glance = (sim: SimulatedInverter): unknown[] => [
    sim.mode,
    sim.battery.stored,
    sim.battery.millivolts,
    sim.flows,
    sim.grid.volts,
    sim.heatSink,
  ];

  it("lives the same life for the same seed, however often it is looked at", () => {
    const often = inverter();
    const once = inverter();
    for (let at = newYear; at <= newYear + 20_000_000; at += 777) often.advanceTo(at);
    often.advanceTo(newYear + 20_000_000);
    once.advanceTo(newYear + 20_000_000);
    expect(glance(often)).toEqual(glance(once));
    expect(often.energy).toEqual(once.energy);
  });

  it("lives another life for another seed", () => {
    const one = inverter({ seed: 1 });
    const two = inverter({ seed: 2 });
    one.advanceTo(noon);
    two.advanceTo(noon);
    expect(glance(one)).not.toEqual(glance(two));
  });

  it("does not go back", () => {
    const sim = inverter();
    sim.advanceTo(noon);
    const before = glance(sim);
    sim.advanceTo(newYear);
    expect(glance(sim)).toEqual(before);
  });
});

describe("sun", () => {
  it("shines by day only, and more in summer than in winter on this side of the equator", () => {
    const energyOfDay = (start: number): number => {
      let total = 0;
      let atNight = 0;
      for (let seed = 0; seed < 12; seed += 1) {
        const sim = inverter({ seed, start, stepSeconds: 60 });
        for (let minute = 0; minute < 1440; minute += 1) {
          sim.advanceTo(start + minute * 60_000);
          const offer = sim.offers.reduce((sum, one) => sum + one.milliwatts, 0);
          total += offer;
          const localHour = (minute / 60 + 2) % 24;
          if (localHour < 4.5 || localHour > 20) atNight += offer;
        }
      }
      expect(atNight).toBe(0);
      return total;
    };
    const summer = energyOfDay(Date.UTC(2026, 11, 21));
    const winter = energyOfDay(Date.UTC(2026, 5, 21));
    expect(summer).toBeGreaterThan(winter);
  });

  it("shows PV loss at night and not at noon", () => {
    const sim = inverter();
    sim.advanceTo(newYear);
    expect(sim.warnings).toContain("pvLoss");
    sim.advanceTo(noon);
    expect(sim.warnings).not.toContain("pvLoss");
  });
});

describe("priorities", () => {
  it("utility first takes the load from the grid and never touches the battery while there is one", () => {
    const sim = inverter({
      start: noon,
      sheddingRate: 0,
      ratings: { outputSourcePriority: "utilityFirst", chargerSourcePriority: "onlySolar" },
    });
    for (let second = 0; second < 3600; second += 1) {
      sim.advanceTo(noon + second * 1000);
      if (!sim.grid.present) continue;
      expect([sim.mode, sim.flows.batteryOut, sim.flows.acCharge]).toEqual(["line", 0, 0]);
      expect(sim.flows.grid).toBeGreaterThanOrEqual(sim.flows.load);
    }
  });

  it("solar first serves the load from the sun and the rest from the grid", () => {
    const sim = inverter({
      start: noon,
      sheddingRate: 0,
      ratings: { outputSourcePriority: "solarFirst", chargerSourcePriority: "onlySolar" },
    });
    sim.conditions.extraLoadWatts = 6000;
    sim.advanceTo(noon + 5000);
    expect(sim.mode).toBe("line");
    expect(sim.flows.pv).toBeGreaterThan(0);
    expect(sim.flows.grid).toBeGreaterThan(0);
    expect(sim.flows.grid).toBeLessThan(sim.flows.load);
    expect([sim.flows.batteryOut, sim.flows.batteryIn]).toEqual([0, 0]);
  });

  it("SBU lives from the battery at night until the recharge voltage, then from the grid until the redischarge voltage", () => {
    const sim = inverter({ soc: 0.24, sheddingRate: 0, ratings: { chargerSourcePriority: "solarAndUtility", maxAcChargeCurrent: 60 } });
    sim.advanceTo(newYear);
    expect(sim.mode).toBe("battery");
    let second = 0;
    const runUntil = (mode: string): number => {
      for (; sim.mode !== mode && second < 172_800; second += 1) sim.advanceTo(newYear + second * 1000);
      return sim.battery.soc;
    };
    expect(runUntil("line")).toBeLessThan(0.24);
    expect(runUntil("battery")).toBeGreaterThan(0.6);
  });

  it("takes over within a step when the grid fails, and says so", () => {
    const sim = inverter({ sheddingRate: 0, ratings: { outputSourcePriority: "utilityFirst" } });
    sim.advanceTo(newYear);
    expect(sim.mode).toBe("line");
    sim.conditions.gridAbsent = true;
    sim.advanceTo(newYear + 1000);
    expect([sim.mode, sim.grid.volts, sim.flows.grid]).toEqual(["battery", 0, 0]);
    expect(sim.outputVolts).toBeGreaterThan(228);
    expect(sim.warnings).toContain("gridFailed");
  });
});

describe("charging", () => {
  it("goes through bulk, absorption and float and keeps to the voltages and currents set", () => {
    const sim = inverter({ start: newYear + 5 * hour, soc: 0.5 });
    const { batteryBulkVoltage, maxChargeCurrent } = sim.ratings;
    const order: string[] = [];
    for (let second = 0; second < 9 * 3600; second += 1) {
      sim.advanceTo(newYear + 5 * hour + second * 1000);
      if (order.at(-1) !== sim.charger.stage) order.push(sim.charger.stage);
      expect(sim.battery.millivolts).toBeLessThanOrEqual(batteryBulkVoltage * 1000 + 1);
      expect(-sim.battery.milliamperes).toBeLessThanOrEqual(maxChargeCurrent * 1000 + 1);
    }
    expect(order.slice(0, 3)).toEqual(["bulk", "absorption", "float"]);
  });
});

describe("protection", () => {
  it("switches off at the cut-off voltage without a grid, and comes back with it", () => {
    const sim = inverter({ soc: 0.09, sheddingRate: 0 });
    sim.conditions.gridAbsent = true;
    sim.conditions.extraLoadWatts = 1500;
    sim.advanceTo(newYear);
    expect(sim.mode).toBe("battery");
    let second = 1;
    for (; sim.mode !== "standby" && second < 7200; second += 1) sim.advanceTo(newYear + second * 1000);
    expect([sim.mode, sim.flows.load, sim.outputVolts]).toEqual(["standby", 0, 0]);
    expect(sim.warnings).toEqual(expect.arrayContaining(["gridFailed", "batteryUnderVoltageShutdown"]));
    sim.conditions.gridAbsent = false;
    sim.advanceTo(newYear + (second + 1) * 1000);
    expect([sim.mode, sim.flows.load > 1_500_000]).toEqual(["line", true]);
  });

  it("stops with fault 07 after ten seconds of overload on battery and tries again after three minutes", () => {
    const sim = inverter({ start: noon, soc: 0.9 });
    sim.advanceTo(noon);
    expect(sim.mode).toBe("battery");
    sim.conditions.extraLoadWatts = 9000;
    sim.advanceTo(noon + 5000);
    expect([sim.mode, sim.warnings.includes("overload")]).toEqual(["battery", true]);
    sim.advanceTo(noon + 15_000);
    expect([sim.mode, sim.faultCode, sim.flows.load]).toEqual(["fault", "07", 0]);
    sim.conditions.extraLoadWatts = 0;
    sim.advanceTo(noon + 200_000);
    expect([sim.mode, sim.faultCode]).toEqual(["battery", "00"]);
  });

  it("warns of heat, then stops with fault 02", () => {
    const sim = inverter();
    sim.conditions.extraDegrees = 85;
    const seen = new Set<string>();
    for (let second = 0; second < 5000 && sim.mode !== "fault"; second += 1) {
      sim.advanceTo(newYear + second * 1000);
      for (const warning of sim.warnings) seen.add(warning);
    }
    expect(seen).toContain("overTemperature");
    expect(sim.faultCode).toBe("02");
  });
});
