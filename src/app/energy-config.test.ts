import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ConfigError } from "../model/errors.ts";
import { loadConfig } from "./config-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sonkrag-energy-config-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function load(yaml: string) {
  const file = join(folder, "sonkrag.yaml");
  writeFileSync(file, yaml);
  return loadConfig({ file, env: { HOME: folder }, cwd: folder }).config.energy;
}

function mistakes(yaml: string): string[] {
  try {
    load(yaml);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.replaceAll(`${folder}/`, "").split("\n");
  }
  return [];
}

const tariff = (rest: string): string => `energy:\n  tariff:\n    currency: ZAR\n${rest}`;

test("nothing is known of the site unless it is told", () => {
  const energy = load("");
  expect(energy).toMatchObject({ fill: "none", neverFeedsIn: false });
  expect(energy).not.toHaveProperty("tariff");
  expect(energy.battery).not.toHaveProperty("capacityAh");
});

test("a tariff is taken as it stands", () => {
  expect(
    load(tariff("    rates: [{ name: night, perKwh: 1, hours: [{ from: '22:00', to: '06:00' }] }, { name: day, perKwh: 2 }]\n")).tariff,
  ).toEqual({
    currency: "ZAR",
    rates: [
      { name: "night", perKwh: 1, hours: [{ from: "22:00", to: "06:00" }] },
      { name: "day", perKwh: 2 },
    ],
  });
});

test("a moment without a rate, a time that is none and both capacities are told with their places", () => {
  expect(mistakes(tariff("    rates: [{ name: day, perKwh: 2, hours: [{ from: '06:00', to: '24:00' }] }]\n"))).toEqual([
    'sonkrag.yaml:3:5: energy.tariff: expected a rate for every moment, none holds, got "monday 00:00"',
  ]);
  expect(mistakes(tariff("    rates: [{ name: day, perKwh: 2, hours: [{ from: '06:10', to: '24:00' }] }]\n"))).toEqual([
    'sonkrag.yaml:3:5: energy.tariff: rate day: expected a time on a quarter of an hour, 00:00 to 24:00, got "06:10"',
  ]);
  expect(mistakes(tariff("    rates: [{ name: day, perKwh: cheap }]\n"))).toEqual([
    'sonkrag.yaml:4:34: energy.tariff.rates[0].perKwh: expected a price, got "cheap"',
  ]);
  expect(mistakes("energy:\n  battery: { capacityAh: 100, capacityWh: 5000 }\n")).toEqual([
    "sonkrag.yaml:2:43: energy.battery.capacityWh: expected either capacityAh or capacityWh, got both",
  ]);
});
