import { afterEach, describe, expect, test } from "vitest";
import { scriptedLine } from "../../test/support/scripted-line.ts";
import { knows, type Script } from "../../test/support/scripted-port.ts";
import { encodePayload } from "../protocol/encode.ts";
import { findSetting } from "../protocol/pi30/settings/catalogue.ts";
import type { Setting, Write } from "../protocol/setting.ts";
import type { VirtualClock } from "../sim/virtual-clock.ts";
import { UnitControl } from "./control.ts";

/*
 * ACK and NAK look the same for every command. The verdict of a write that got none comes after all, behind the fence, when the
 * next setting has just left: no outcome may be wrong for that.
 */

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});
const signal = (): AbortSignal => new AbortController().signal;
const earlier: Write = { kind: "write", setting: "buzzer", value: true, command: "PEa" };
const priority = findSetting("outputSourcePriority");
const blind: Setting = { ...priority, readBack: undefined };

/** What a unit does with the next setting, and what it says of it. */
interface Unit {
  readonly obeys: boolean;
  readonly says: "ACK" | "NAK" | undefined;
  readonly afterMs?: number;
}

async function changeAfter(late: Unit["says"], { obeys, says, afterMs = 0 }: Unit, { setting = priority, waitMs = 0 } = {}) {
  let code = 0;
  let next = { code, at: 0 };
  let owed: Unit["says"];
  const script =
    (clock: VirtualClock): Script =>
    (command) => {
      if (command === earlier.command) {
        owed = late;
        return undefined;
      }
      if (/^POP0\d$/.test(command)) {
        if (obeys) next = { code: Number(command.slice(-1)), at: clock.monotonic() + afterMs };
        const verdicts = [owed, says].filter((each) => each !== undefined).flatMap((each) => [...encodePayload(each)]);
        owed = undefined;
        return verdicts.length === 0 ? undefined : Uint8Array.from(verdicts);
      }
      if (clock.monotonic() >= next.at) code = next.code;
      return knows({ QPIRI: `230.0 21.7 230.0 50.0 21.7 5000 5000 48.0 51.0 49.0 54.4 54.4 2 30 060 1 ${code} 2 9 01 0 1 53.0 0 1 000` })(
        command,
      );
    };
  const { clock, port, line } = await scriptedLine(script, stops);
  expect(await line.tell(earlier, { signal: signal() })).toMatchObject({ answer: "silence" });
  await clock.sleep(waitMs, { signal: signal() });
  const control = new UnitControl({ line, clock, facts: () => ({ family: "unknown", unit: 0, wide: true }) });
  const outcome = await control.change(setting, "sbu", { signal: signal(), beforeWrite: async () => undefined });
  const count = port.commands().filter((command) => command === "POP02").length;
  return { outcome, count };
}

describe("the late verdict of an earlier write", () => {
  test.each([0, 20_000])("ACK, %i ms behind it, and a unit that only acknowledges: unconfirmed", async (waitMs) => {
    const { outcome, count } = await changeAfter("ACK", { obeys: false, says: "ACK" }, { waitMs });
    expect(outcome).toMatchObject({ kind: "unconfirmed", after: "utilityFirst" });
    expect(count).toBe(1);
  });

  test("ACK, and a unit that refuses: refused", async () => {
    const { outcome } = await changeAfter("ACK", { obeys: false, says: "NAK" });
    expect(outcome).toMatchObject({ kind: "refused", by: "inverter", after: "utilityFirst" });
  });

  test("that never comes does not spoil a refusal", async () => {
    const { outcome, count } = await changeAfter(undefined, { obeys: false, says: "NAK" });
    expect(outcome).toMatchObject({ kind: "refused", by: "inverter", written: [{ answer: "nak" }] });
    expect(count).toBe(1);
  });

  test.each([0, 20_000])("NAK, %i ms behind it, and a unit that obeys: applied, and sent once", async (waitMs) => {
    const { outcome, count } = await changeAfter("NAK", { obeys: true, says: "ACK" }, { waitMs });
    expect(outcome).toMatchObject({ kind: "applied", after: "sbu" });
    expect(count).toBe(1);
  });

  test("NAK, and a unit that obeys 20 s late: applied", async () => {
    const { outcome } = await changeAfter("NAK", { obeys: true, says: "ACK", afterMs: 20_000 });
    expect(outcome).toMatchObject({ kind: "applied", after: "sbu" });
  });

  test.each(["ACK", undefined] as const)("NAK is no refusal of what cannot be read back (the unit itself says %s)", async (says) => {
    for (const waitMs of [0, 20_000]) {
      const { outcome } = await changeAfter("NAK", { obeys: true, says }, { setting: blind, waitMs });
      expect(outcome).toMatchObject({ kind: "unconfirmed", written: [{ answer: says === undefined ? "spoilt" : "ack" }] });
    }
  });

  test("is not reckoned with for longer than a minute", async () => {
    const { outcome } = await changeAfter(undefined, { obeys: false, says: "NAK" }, { setting: blind, waitMs: 61_000 });
    expect(outcome).toMatchObject({ kind: "refused", by: "inverter" });
  });
});
