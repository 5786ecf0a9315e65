/** The built program's simulated inverter, asked without a line: rows of history as fast as the machine makes them. */
import { readyOrExit } from "../scripts/ready.mjs";

await readyOrExit();

/** A module of the built program. @param {string} path */
export const built = (path) => import(new URL(`../dist/${path}.js`, import.meta.url).href);

const { decodeReply } = await built("protocol/decode");
const { encodeCommand } = await built("protocol/encode");
const { findRequest } = await built("protocol/pi30/dialect");
const { derive } = await built("protocol/reading");
const { historyRowOf } = await built("app/history/history-row");
const { serialNumberOf } = await built("sim/answers");
const { Firmware } = await built("sim/firmware");
const { SimulatedInverter } = await built("sim/inverter");
const { Member } = await built("sim/member");
const { findProfile } = await built("sim/profiles");

/** @typedef {import("../src/model/history.ts").HistoryRow} HistoryRow */

/**
 * One unit of its own weather.
 * @param {{ readonly seed: number, readonly start: number }} options start: UTC epoch ms
 * @returns {(command: string, at: number) => HistoryRow | undefined} its answer at that time, times ascending; absent for a command that it refuses
 */
export function simulatedUnit({ seed, start }) {
  const inverter = new SimulatedInverter({ seed, start });
  const member = new Member({ profile: findProfile("max"), index: 0, serialNumber: serialNumberOf(0) });
  const firmware = new Firmware({ unit: { inverter, member, members: [member] } });
  return (command, at) => {
    inverter.advanceTo(at);
    const body = Buffer.from(firmware.answer(encodeCommand(command)).reply)
      .toString("latin1")
      .slice(1, -3);
    if (body === "NAK") return undefined;
    const { values, tail } = decodeReply(findRequest(command), { body });
    return historyRowOf({ inverter: "one", at, command, payload: body, values, derived: derive(values), tail });
  };
}
