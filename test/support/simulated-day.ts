import type { Reading } from "../../src/model/reading.ts";
import { decodeReply } from "../../src/protocol/decode.ts";
import { encodeCommand } from "../../src/protocol/encode.ts";
import { latin1 } from "../../src/protocol/frame.ts";
import { findRequest } from "../../src/protocol/pi30/dialect.ts";
import { derive } from "../../src/protocol/reading.ts";
import { Simulation } from "../../src/sim/transport.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";

export const dayMs = 86_400_000;
const pollMs = 15_000;

/** What a simulated inverter answers over a UTC day, polled every 15 s; the same each time. */
export function* simulatedDay(start: number, inverterId: string): Generator<Reading, void> {
  const { inverter, lines } = new Simulation({ clock: new VirtualClock(start), seed: 3, model: "max" });
  for (let at = start; at < start + dayMs; at += pollMs)
    for (const [wait, command] of [
      [0, "QPIGS"],
      [600, "QPIGS2"],
      [900, "QMOD"],
    ] as const) {
      inverter.advanceTo(at + wait);
      const { reply } = lines[0]!.firmware.answer(encodeCommand(command), at + wait);
      const payload = latin1(reply!.subarray(1, -3));
      const answer = decodeReply(findRequest(command), { body: payload });
      if (answer.kind !== "data") throw new Error(`Expected data for ${command}, got ${answer.kind}`);
      const { values, tail } = answer;
      yield { inverter: inverterId, at: at + wait, command, payload, values, derived: derive(values), tail };
    }
}
