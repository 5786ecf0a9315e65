import { expect, test } from "vitest";
import { online, readingOf, realInverter, silent, simulatedInverter } from "../../test/support/readings.ts";
import { StateDocument } from "./state-document.ts";

const at = Date.UTC(2026, 0, 1, 12);
const stateOf = (document: StateDocument): Record<string, unknown> => JSON.parse(document.toJson());

test("every value has its unit, time, command and origin", () => {
  const document = new StateDocument(realInverter);
  document.setStatus(online, realInverter);
  document.setReading(readingOf(at), realInverter);
  const source = { at: "2026-01-01T12:00:00.000Z", command: "QPIGS" };
  expect(stateOf(document)).toEqual({
    inverter: "axpert-1",
    simulated: false,
    serialNumber: "92931905106458",
    model: "Axpert KING",
    status: { state: "online", since: "2026-01-01T00:00:00.000Z", message: "" },
    at: "2026-01-01T12:00:00.000Z",
    values: {
      gridVoltage: { value: 233.8, unit: "V", ...source, origin: "measured" },
      batteryVoltage: { value: 52, unit: "V", ...source, origin: "measured" },
      heatSinkTemperature: { value: 48, unit: "°C", ...source, origin: "measured" },
      deviceStatus: { value: ["loadOn", "chargingOn"], ...source, origin: "measured" },
      batteryPower: { value: -52, unit: "W", ...source, origin: "derived" },
    },
  });
});

test("a value that a later answer to the same command lacks disappears; other commands' values stay with their own time", () => {
  const document = new StateDocument(realInverter);
  document.setReading(readingOf(at, { command: "QMOD", values: { operatingMode: "line" }, derived: {} }), realInverter);
  document.setReading(readingOf(at + 1_000), realInverter);
  document.setReading(readingOf(at + 2_000, { values: { gridVoltage: 230 }, derived: {} }), realInverter);
  expect(stateOf(document)["values"]).toEqual({
    operatingMode: { value: "line", at: "2026-01-01T12:00:00.000Z", command: "QMOD", origin: "measured" },
    gridVoltage: { value: 230, unit: "V", at: "2026-01-01T12:00:02.000Z", command: "QPIGS", origin: "measured" },
  });
});

test("parallel units and factory defaults do not overwrite the live values", () => {
  const document = new StateDocument(realInverter);
  const one = (command: string, values: Record<string, number>): void =>
    document.setReading(readingOf(at, { command, values, derived: {} }), realInverter);
  one("QPIRI", { batteryBulkVoltage: 54.4 });
  one("QPGS0", { batteryVoltage: 52.2 });
  one("QPGS1", { batteryVoltage: 52.1 });
  one("QDI", { batteryBulkVoltage: 56.4 });
  expect(stateOf(document)).toMatchObject({
    values: { batteryBulkVoltage: { value: 54.4 } },
    parallel: { QPGS0: { batteryVoltage: { value: 52.2, unit: "V" } }, QPGS1: { batteryVoltage: { value: 52.1 } } },
    defaults: { QDI: { batteryBulkVoltage: { value: 56.4 } } },
  });
});

test("a simulated inverter and a silent one say so", () => {
  const document = new StateDocument(simulatedInverter);
  document.setStatus(silent, simulatedInverter);
  expect(stateOf(document)).toMatchObject({
    simulated: true,
    status: { state: "silent", message: "The inverter does not answer." },
    values: {},
  });
  expect(stateOf(document)).not.toHaveProperty("at");
});
