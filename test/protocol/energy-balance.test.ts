import { expect, it } from "vitest";
import type { EnergyBalance } from "../../src/model/balance.ts";
import type { Reading } from "../../src/model/reading.ts";
import { decodeReply } from "../../src/protocol/decode.ts";
import { encodeCommand } from "../../src/protocol/encode.ts";
import { FrameDecoder } from "../../src/protocol/frame.ts";
import { BalanceWatch } from "../../src/protocol/pi30/balance-watch.ts";
import { findRequest } from "../../src/protocol/pi30/dialect.ts";
import { inWordsOf } from "../../src/protocol/pi30/words.ts";
import { derive } from "../../src/protocol/reading.ts";
import { serialNumberOf } from "../../src/sim/answers.ts";
import { Firmware } from "../../src/sim/firmware.ts";
import { SimulatedInverter } from "../../src/sim/inverter.ts";
import { Member } from "../../src/sim/member.ts";
import { findProfile, modelNames } from "../../src/sim/profiles.ts";

const MINUTE_MS = 60_000;
const midnight = Date.UTC(2026, 0, 1, 22);

interface Day {
  readonly balance: EnergyBalance;
  /** The highest time that could be checked, minutes. */
  readonly checkedMinutes: number;
  readonly everFailed: boolean;
  readonly marked: boolean;
}

/** A day of this make, read every minute; `falsify` stands for a firmware that says other things than the physics. */
function day(
  model: string,
  hours: number,
  falsify: (command: string, payload: string) => string = (_, payload) => payload,
  priority?: "sbu",
): Day {
  const profile = findProfile(model);
  const member = new Member({ profile, index: 0, serialNumber: serialNumberOf(0) });
  const ratings = { ...member.ratings, ...(priority && { outputSourcePriority: priority }) };
  const { strings, household } = profile;
  const inverter = new SimulatedInverter({ seed: 7, start: midnight, stepSeconds: 20, strings, household, ratings });
  const firmware = new Firmware({ unit: { inverter, member, members: [member] } });
  const watch = new BalanceWatch();
  const ask = (command: string): Reading | undefined => {
    const { reply } = firmware.answer(encodeCommand(command, "zeroBumped"));
    const part = new FrameDecoder().push(reply ?? new Uint8Array()).find(({ kind }) => kind === "frame");
    if (part?.kind !== "frame") return undefined;
    const payload = falsify(command, part.body);
    const decoded = decodeReply(findRequest(command), { body: payload });
    if (decoded.kind !== "data") return undefined;
    const { values, tail } = decoded;
    return { inverter: "unit", at: 0, command, payload, values: inWordsOf(profile.family, values), derived: derive(values), tail };
  };
  const hasSecond = ask("QPIGS2") !== undefined;
  let everFailed = false;
  let marked = false;
  let checkedMs = 0;
  for (let minute = 0; minute < hours * 60; minute++) {
    const monotonicMs = minute * MINUTE_MS;
    inverter.advanceTo(midnight + monotonicMs);
    for (const command of ["QMOD", ...(minute % 60 === 0 ? ["QPIRI"] : []), "QPIGS2", "QPIGS"]) {
      const reading = ask(command);
      if (reading !== undefined && watch.take(reading, { monotonicMs, hasSecond }).estimated !== undefined) marked = true;
    }
    everFailed ||= watch.state.state === "fails";
    checkedMs = Math.max(checkedMs, watch.state.checkedMs);
  }
  return { balance: watch.state, checkedMinutes: checkedMs / MINUTE_MS, everFailed, marked };
}

it.each(modelNames)("raises no false alarm in a day of %s", (model) => {
  const { everFailed, marked, balance } = day(model, 24);
  expect({ everFailed, marked, balance }).toMatchObject({ everFailed: false, marked: false });
});

it.each(["max2", "king", "mks", "hs", "plus-tri"])("checks %s for an hour and more, and finds that it holds", (model) => {
  expect(day(model, 24, undefined, "sbu")).toMatchObject({ checkedMinutes: expect.closeTo(60, -1) as number, balance: { state: "holds" } });
});

/** The place of PV power multiplied. */
const times = (factor: number) => (command: string, payload: string) =>
  command === "QPIGS"
    ? payload
        .split(" ")
        .map((text, index) => (index === 19 ? String(Math.round(Number(text) * factor)).padStart(5, "0") : text))
        .join(" ")
    : payload;

it("flags PV watts that are three times too many", () => {
  expect(day("max2", 16, times(3), "sbu")).toMatchObject({ everFailed: true, marked: true });
});

it("flags PV watts that are a third of the true ones", () => {
  expect(day("king", 16, times(0.3), "sbu")).toMatchObject({ everFailed: true, marked: true });
});

it("does not flag what cannot be checked", () => {
  expect(day("max2", 6, times(3))).toMatchObject({ everFailed: false });
});
