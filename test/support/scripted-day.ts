import type { HistoryRow } from "../../src/model/history.ts";
import { LocalTime } from "../../src/model/local-time.ts";
import { localPeriodOf } from "../../src/model/local-periods.ts";
import { decodeReply } from "../../src/protocol/decode.ts";
import { encodeCommand } from "../../src/protocol/encode.ts";
import { latin1 } from "../../src/protocol/frame.ts";
import { findRequest } from "../../src/protocol/pi30/dialect.ts";
import { derive } from "../../src/protocol/reading.ts";
import type { EnergyAccount } from "../../src/sim/inverter.ts";
import { Random } from "../../src/sim/random.ts";
import { Simulation } from "../../src/sim/transport.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";

/*
 * A day of two units with two strings each, on which the clocks change, with twenty times at which our program is killed and
 * seventeen minutes without a line; beside it what the simulated inverters know of themselves to the millijoule.
 */

export const local = LocalTime.of("Europe/Berlin");
export const day = localPeriodOf("2026-10-25", local);
export const minuteMs = 60_000;
export const unitNames = ["one", "two"] as const;
/** While the sun shines and the battery works. */
export const gap = { from: day.from + 13 * 60 * minuteMs + 7_000, to: day.from + 13 * 60 * minuteMs + 7_000 + 17 * minuteMs };

const flowsOfTruth = { pv: "pv", load: "load", gridImport: "grid", batteryCharge: "batteryIn", batteryDischarge: "batteryOut" } as const;
/** Flows of which the simulated inverter knows the truth. */
export type Told = keyof typeof flowsOfTruth;
export const told = Object.keys(flowsOfTruth) as Told[];

/** Wh of both units: each of them lives as the simulated one. */
export function wattHours(account: EnergyAccount, key: Told): number {
  return (unitNames.length * account[flowsOfTruth[key]]) / 3_600_000;
}

/** `downSeconds`: how long the program is away each time. */
export function scriptedDay(downSeconds: readonly [least: number, most: number]) {
  const { inverter, lines } = new Simulation({
    clock: new VirtualClock(day.from - 10 * minuteMs),
    seed: 6,
    units: unitNames.length,
    model: "max",
    inverter: { utcOffsetHours: 2, sheddingRate: 0.25, batteryWh: 6000, soc: 0.5 },
  });
  const random = new Random(4, "kills");
  const downs = Array.from({ length: 20 }, (_, index) => day.from + (index * 74 + 20 + random.between(0, 40)) * minuteMs).map((from) => ({
    from,
    to: from + random.between(...downSeconds) * 1000,
  }));
  const ask = (unit: number, command: string, at: number): HistoryRow => {
    inverter.advanceTo(at);
    const { reply } = lines[unit]!.firmware.answer(encodeCommand(command), at);
    const { values } = decodeReply(findRequest(command), { body: latin1(reply!.subarray(1, -3)) }) as { values: HistoryRow["values"] };
    const derived = derive(values);
    const origins = Object.fromEntries(Object.keys(derived).map((name) => [name, "derived" as const]));
    return { inverter: unitNames[unit]!, at, command, values: { ...values, ...derived }, origins };
  };
  return { inverter, downs, ask };
}
