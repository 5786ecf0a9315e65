import type { HistoryRow } from "../../src/model/history.ts";

/** Milliseconds between two live rows. */
export const stepMs = 5_000;

/** What an inverter with a load of 1,200 W says at a time: the time alone decides, so that every row can be checked. */
export function liveRow(at: number, inverter = "one"): HistoryRow {
  const tick = Math.floor(at / stepMs);
  return {
    inverter,
    at,
    command: "QPIGS",
    payload: `230.${tick % 10} 49.9 1200 ${tick}`,
    values: {
      gridVoltage: 230 + (tick % 10) / 10,
      batteryVoltage: 48 + (tick % 64) / 10,
      loadActivePower: 1_200,
      deviceStatus: tick % 3 === 0 ? ["loadOn"] : ["loadOn", "chargingOn"],
    },
    origins: { batteryVoltage: "derived" },
  };
}

/** A row of a log of older times, a minute apart; the number alone decides. */
export function importedRow(before: number, number: number): HistoryRow {
  return { inverter: "one", at: before - (number + 1) * 60_000, command: "QPIGS", values: { batteryVoltage: 40 + (number % 100) / 10 } };
}
