import { afterEach, describe, expect, test } from "vitest";
import { failureOf } from "../../test/support/failure.ts";
import { scriptedLine } from "../../test/support/scripted-line.ts";
import { knows, type ScriptedPort, type Script } from "../../test/support/scripted-port.ts";
import { TransportError } from "../model/errors.ts";
import { encodeCommand, encodePayload, hasZeroByte } from "../protocol/encode.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import type { Request } from "../protocol/command.ts";
import type { Write } from "../protocol/setting.ts";
import type { VirtualClock } from "../sim/virtual-clock.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});
const signal = (): AbortSignal => new AbortController().signal;
const sbu: Write = { kind: "write", setting: "outputSourcePriority", value: "sbu", command: "POP02" };

async function lineWith(script: Script) {
  const { clock, port, line } = await scriptedLine(() => script, stops);
  port.asked.length = 0;
  return { clock, port, line };
}

async function sent(port: ScriptedPort, clock: VirtualClock, command: string): Promise<void> {
  while (!port.commands().includes(command)) await clock.sleep(5, { signal: signal() });
}

describe("a command that changes something", () => {
  test("goes out once, before what is polled, and brings the unit's verdict with the bytes", async () => {
    const { line, port } = await lineWith(knows({ POP02: "ACK" }));
    const polls = ["QMOD", "QPIGS", "QPIWS"].map((command) => line.ask(findRequest(command), { signal: signal() }));
    const told = await line.tell(sbu, { signal: signal() });
    expect(told).toMatchObject({ answer: "ack", sent: encodeCommand("POP02"), received: encodePayload("ACK") });
    await Promise.all(polls);
    expect(port.commands().filter((command) => command === "POP02")).toHaveLength(1);
    // At most the question that had left already, and the fence that proves its answer, are before it.
    expect(port.commands().indexOf("POP02")).toBeLessThanOrEqual(2);
    expect(line.counters.rejected).toMatchObject({ foreign: 0, stale: 0, timeout: 0 });
  });

  test("that is refused says so, and is not sent again", async () => {
    const { line, port } = await lineWith(knows());
    expect((await line.tell(sbu, { signal: signal() })).answer).toBe("nak");
    expect(port.commands()).toEqual(["POP02"]);
    expect(line.commandCounters["POP02"]).toMatchObject({ requests: 1, accepted: 0, rejected: { nak: 1 } });
  });

  test("that gets no verdict is not sent again, and a late one is not taken for the refusal of the next question", async () => {
    const { line, port, clock } = await lineWith(knows({ POP02: undefined }));
    const told = await line.tell(sbu, { signal: signal() });
    expect(told.answer).toBe("silence");
    port.say(encodePayload("NAK"));
    await clock.sleep(5, { signal: signal() });
    const answer = await line.ask(findRequest("QPIGS"), { signal: signal() });
    expect(answer.kind).toBe("data");
    expect(port.commands().filter((command) => command === "POP02")).toHaveLength(1);
    expect(line.counters.rejected.timeout).toBe(1);
  });

  test("whose verdict is damaged leaves it open", async () => {
    const { line } = await lineWith(knows({ POP02: Uint8Array.from([0x28, 0x41, 0x43, 0x4b, 0x39, 0x21, 0x0d]) }));
    expect(await line.tell(sbu, { signal: signal() })).toMatchObject({ answer: "spoilt" });
    expect(line.counters.rejected.checksum).toBe(1);
  });

  test("takes no data for a verdict", async () => {
    const both = Uint8Array.from([...encodePayload("B"), ...encodePayload("ACK")]);
    const { line } = await lineWith(knows({ POP02: both }));
    expect((await line.tell(sbu, { signal: signal() })).answer).toBe("ack");
    expect(line.counters.rejected.foreign).toBe(1);
  });

  test("waits until an older question is settled: after a silence a fence comes first", async () => {
    const { line, port, clock } = await lineWith(knows({ QPIWS: undefined, POP02: "ACK" }));
    const asked = failureOf(line.ask(findRequest("QPIWS"), { signal: signal() }));
    await sent(port, clock, "QPIWS");
    expect((await line.tell(sbu, { signal: signal() })).answer).toBe("ack");
    await asked;
    const at = port.commands().indexOf("POP02");
    expect(port.commands().slice(0, at)).toEqual(["QPIWS", "QPI"]);
  });

  test("can be given up while it waits, not once it is sent", async () => {
    const { line, port, clock } = await lineWith(knows({ POP02: "ACK" }));
    const patience = new AbortController();
    const told = line.tell(sbu, { signal: patience.signal });
    await sent(port, clock, "POP02");
    patience.abort(new Error("enough"));
    expect((await told).answer).toBe("ack");
    const given = AbortSignal.abort(new Error("enough"));
    expect(await failureOf(line.tell(sbu, { signal: given }))).toMatchObject({ message: "enough" });
  });

  test("under which the link breaks says that it was sent", async () => {
    const { line, port, clock } = await lineWith(knows({ POP02: undefined }));
    const told = failureOf(line.tell(sbu, { signal: signal() }));
    await sent(port, clock, "POP02");
    port.pull();
    const error = await told;
    expect(error).toBeInstanceOf(TransportError);
    expect((error as TransportError).context).toMatchObject({ sent: true });
  });
});

describe("a checksum with a zero byte", () => {
  const voltage: Write = { kind: "write", setting: "batteryFloatVoltage", value: 48.8, command: "PBFT48.8" };
  const bytesOf = (port: ScriptedPort): string[] => port.commands();

  test("goes out in its other form on demand, and the form that was accepted is remembered", async () => {
    expect(hasZeroByte(voltage.command)).toBe(true);
    const { line, port } = await lineWith(knows({ "PBFT48.8": "ACK" }));
    expect(line.requestChecksum).toBeUndefined();
    const told = await line.tell(voltage, { signal: signal(), otherChecksum: true });
    expect(told.sent).toEqual(encodeCommand(voltage.command, "zeroBumped"));
    expect(line.requestChecksum).toBe("zeroBumped");
    expect((await line.tell(voltage, { signal: signal() })).sent).toEqual(encodeCommand(voltage.command, "zeroBumped"));
    expect(bytesOf(port)).toEqual(["PBFT48.8", "PBFT48.8"]);
  });
});

test.each<[string, unknown]>([
  ["another command under an inquiry's name", { query: findRequest("QMOD").query, command: "POP02" }],
  ["an inquiry with a setter behind it", { query: findRequest("QPIGS").query, command: "QPIGS\rPOP02" }],
  ["an inquiry with another argument", { query: findRequest("QPGS0").query, command: "QPGS00" }],
  [
    "an inquiry that is declared with the code of a setter",
    { query: { ...findRequest("QMOD").query, code: "POP02", stem: "POP02" }, command: "POP02" },
  ],
  ["a command that changes something", sbu],
])("%s cannot be asked, whatever the types were told", async (_, what) => {
  const { line, port } = await lineWith(knows({ POP02: "ACK" }));
  await expect(line.ask(what as Request, { signal: signal(), urgent: true })).rejects.toBeInstanceOf(TypeError);
  expect(port.commands()).toEqual([]);
});
