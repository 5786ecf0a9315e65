import { afterEach, describe, expect, test } from "vitest";
import { failureOf } from "../../test/support/failure.ts";
import { recordingLogger } from "../../test/support/readings.ts";
import { knows, nothing, ScriptedPort, type Script } from "../../test/support/scripted-port.ts";
import { TransportError } from "../model/errors.ts";
import type { LinkStatus, Reading } from "../model/reading.ts";
import { encodePayload } from "../protocol/encode.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import { VirtualClock } from "../sim/virtual-clock.ts";
import { Line } from "./line.ts";
import type { PlanItem } from "./poller.ts";
import { probe, Unit, type Identity } from "./unit.ts";

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const status: readonly PlanItem[] = [
  { request: findRequest("QPIGS"), everyMs: 5000 },
  { request: findRequest("QMOD"), everyMs: 5000 },
];

function unitWith(script: Script, plan: readonly PlanItem[] = status) {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const port = new ScriptedPort(clock, script);
  const logger = recordingLogger();
  const stop = new AbortController();
  const identities: (Identity & { readonly at: number })[] = [];
  const readings: Reading[] = [];
  const problems: { readonly message: string; readonly at: number }[] = [];
  const statuses: LinkStatus[] = [];
  const line = new Line({
    open: port.open,
    clock,
    logger,
    random: () => 0.5,
    onStatus: (status) => {
      statuses.push(status);
      unit.linkChanged(status);
    },
  });
  const unit = new Unit({
    line,
    clock,
    logger,
    plan,
    onIdentity: (identity) => {
      identities.push({ ...identity, at: clock.monotonic() });
      return `unit-${identity.serialNumber ?? "unknown"}`;
    },
    onReading: (reading) => readings.push(reading),
    onProblem: (message) => problems.push({ message, at: clock.monotonic() }),
  });
  const running = Promise.all([line.run({ signal: stop.signal }), unit.run({ signal: stop.signal })]);
  const end = async (): Promise<unknown> => {
    stop.abort(new Error("the test is over"));
    return await running;
  };
  stops.push(end);
  const never = new AbortController().signal;
  return {
    clock,
    port,
    line,
    logger,
    unit,
    identities,
    readings,
    problems,
    statuses,
    end,
    wait: (ms: number) => clock.sleep(ms, { signal: never }),
  };
}

const spoilt = (payload: string): Uint8Array => encodePayload(payload).map((byte, index) => (index === 1 ? byte ^ 1 : byte));
/** What came after the first fence. */
const afterFence = (port: ScriptedPort): string[] => port.commands().slice(1);

describe("the identity probe", () => {
  test("asks six short questions and nothing that could change anything", async () => {
    const { port, wait, identities } = unitWith(knows());
    await wait(1000);
    expect(afterFence(port).slice(0, 4)).toEqual(["QPI", "QID", "QVFW", "QMN"]);
    expect(port.commands().every((command) => command.startsWith("Q"))).toBe(true);
    expect(identities).toMatchObject([{ protocol: "PI30", serialNumber: "92931905106458", model: "MKS2-8000", firmware: "00079.70" }]);
  });

  test("goes on to QSID and QGMN where the shorter ones are refused", async () => {
    const { port, wait, identities } = unitWith(knows({ QID: "NAK", QSID: "1492931905106458000000", QMN: "NAK" }));
    await wait(1000);
    expect(afterFence(port).slice(0, 6)).toEqual(["QPI", "QID", "QVFW", "QMN", "QSID", "QGMN"]);
    expect(identities).toMatchObject([{ serialNumber: "92931905106458", model: "model 044" }]);
  });

  test("asks a unit whose serial number many share for its phase as well, for it tells them apart", async () => {
    const { port, wait, identities } = unitWith(
      knows({
        QID: "55355535553555",
        QPIRI: "230.0 21.7 230.0 50.0 21.7 5000 5000 48.0 51.0 49.0 54.4 54.4 2 60 060 1 1 2 9 01 0 3 53.0 0 1 000",
      }),
    );
    await wait(2000);
    expect(afterFence(port).slice(0, 5)).toEqual(["QPI", "QID", "QVFW", "QMN", "QPIRI"]);
    expect(identities[0]).toMatchObject({ serialNumber: "55355535553555", outputMode: "phase2Of3" });
  });

  test("of a unit that tells nothing about itself leaves out what it did not tell", async () => {
    const { wait, identities, readings } = unitWith(knows({ QID: "NAK", QVFW: "NAK", QMN: "NAK", QGMN: "NAK" }));
    await wait(2000);
    expect(identities).toEqual([{ protocol: "PI30", at: expect.any(Number) as number }]);
    expect(readings[0]).toMatchObject({ inverter: "unit-unknown", command: "QPIGS" });
  });

  test("of a unit that meets unknown commands with silence is done within 20 s", async () => {
    const { wait, identities, port } = unitWith(knows({ QSID: undefined, QID: undefined, QMN: undefined, QGMN: undefined }));
    await wait(40_000);
    expect(identities).toHaveLength(1);
    expect(identities[0]!.at).toBeLessThan(20_000);
    expect(port.opens).toHaveLength(1);
  });

  test("values do not wait for a name that is never told, neither at first nor after a short loss of the link", async () => {
    const { wait, identities, readings, port, clock } = unitWith(knows({ QMN: undefined, QGMN: undefined }));
    await wait(3500);
    expect(readings[0]!.command).toBe("QPIGS");
    await wait(26_500);
    expect(identities).toHaveLength(1);
    port.pull();
    await wait(1000);
    port.plugIn();
    const back = clock.now();
    await wait(2000);
    const first = readings.find(({ at }) => at >= back);
    expect(first!.at - back).toBeLessThan(1000);
  });

  test("a name that is told late is added", async () => {
    let count = 0;
    const { wait, identities } = unitWith(
      (command) => (command === "QMN" && count++ === 0 ? undefined : knows()(command)),
      [...status, { request: findRequest("QMN"), everyMs: 86_400_000 }],
    );
    await wait(20_000);
    expect(identities.map(({ model }) => model)).toEqual([undefined, "MKS2-8000"]);
  });

  test("takes a spoilt answer for no refusal: the serial number is asked for again", async () => {
    let bad = 4;
    const good = knows();
    const { wait, identities, problems } = unitWith((command) =>
      command === "QID" && bad-- > 0 ? spoilt("92931905106458") : good(command),
    );
    await wait(5000);
    expect(identities).toMatchObject([{ serialNumber: "92931905106458" }]);
    expect(problems).toEqual([]);
  });

  test("rejects when the link goes down in the middle", async () => {
    const { port, line, wait } = unitWith(nothing);
    port.script = knows({ QVFW: undefined });
    const probing = line
      .online({ signal: new AbortController().signal })
      .then(() => probe((what, how) => line.ask(what, how), { signal: new AbortController().signal }));
    const failed = failureOf(probing);
    await wait(3000);
    port.pull();
    expect(await failed).toBeInstanceOf(TransportError);
  });
});

/** QPIGS2 of a split-phase unit. */
const second = "120.1 60.0 120.1 60.0 0048 0040 002 0000 000.0 53.10 00000010";

describe("a unit that refuses QPI", () => {
  test.each<readonly [string, string | undefined]>([
    ["refuses QPIGS2", "NAK"],
    ["is silent to QPIGS2", undefined],
    ["has a second PV input", "06.5 311.5 02048 "],
    ["answers QPIGS2 in an unknown form", "1 2"],
  ])("and %s is read when its status is one of PI30", async (_, answer) => {
    const { wait, problems, identities, readings } = unitWith(knows({ QPI: "NAK", QPIGS2: answer }));
    await wait(15_000);
    expect(problems).toEqual([]);
    expect(identities[0]).toMatchObject({ protocol: "PI30", serialNumber: "92931905106458" });
    expect(readings.some(({ command }) => command === "QPIGS")).toBe(true);
  });
});

describe("a unit that cannot be used", () => {
  test.each<readonly [string, Script, RegExp]>([
    ["PI18 by name", knows({ QPI: "PI18" }), /got "PI18": this protocol is not supported/],
    ["PI41", knows({ QPI: "PI41" }), /got "PI41": this protocol is not supported/],
    ["PI41 that refuses QPI", knows({ QPI: "NAK", QPIGS2: second }), /looks like PI41/],
    ["one that refuses QPI and has a status of another form", knows({ QPI: "NAK", QPIGS: "1 2 3" }), /answers PI30 to QPI, got a refusal/],
    ["one that refuses everything", () => "NAK", /answers PI30 to QPI, got a refusal: a unit of another protocol, or not an inverter/],
  ])("%s is told in plain words, left alone, and asked again every 15 s", async (_, script, words) => {
    const { wait, port, problems, readings, line, identities } = unitWith(script);
    await wait(61_000);
    expect([4, 5]).toContain(problems.length);
    for (const { message } of problems) expect(message).toMatch(words);
    expect(problems[1]!.at - problems[0]!.at).toBeLessThan(17_500);
    expect({ readings, identities }).toEqual({ readings: [], identities: [] });
    expect(port.commands().filter((command) => !["QPI", "QPIGS", "QPIGS2", "QMOD"].includes(command))).toEqual([]);
    expect(line.status.state).toBe("online");
    port.script = knows();
    await wait(16_000);
    expect(identities).toHaveLength(1);
    expect(readings.length).toBeGreaterThan(0);
  });

  test("one of PI18, which has frames of its own, is bytes without a frame", async () => {
    const { wait, line, problems } = unitWith(() => Uint8Array.of(0x5e, 0x30, 0x1b, 0xe3, 0x0d));
    await wait(40_000);
    expect(line.status).toMatchObject({ state: "silent", message: expect.stringMatching(/a unit of another protocol/) as string });
    expect(problems).toEqual([]);
  });

  test("because its answers come spoilt is asked again soon", async () => {
    let bad = 0;
    const good = knows();
    const { wait, port, problems, identities } = unitWith((command) => (command === "QPI" && bad-- > 0 ? spoilt("PI30") : good(command)));
    bad = 12;
    await wait(10_000);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems[0]!.message).toMatch(/^The inverter answers, but nothing that can be understood: /);
    expect(identities).toHaveLength(1);
    expect(port.opens).toHaveLength(1);
  });

  test("is forgotten as soon as the cable goes to another: no pause is waited out", async () => {
    const { wait, port, problems, identities, clock, line } = unitWith(knows({ QPI: "PI41" }));
    await wait(1000);
    expect(problems).toHaveLength(1);
    // Somebody else's question is how the line notices.
    port.pull();
    await expect(line.ask(findRequest("QMOD"), { signal: new AbortController().signal })).rejects.toThrow();
    port.script = knows();
    port.plugIn();
    const back = clock.monotonic();
    await wait(2000);
    expect(identities).toHaveLength(1);
    expect(identities[0]!.at - back).toBeLessThan(1000);
  });
});

describe("after the link was lost", () => {
  test("polling stops, and starts again with the question who is there", async () => {
    const { wait, port, identities, readings, statuses } = unitWith(knows());
    await wait(12_000);
    const before = readings.length;
    expect(before).toBe(6);
    port.pull();
    await wait(30_000);
    expect(readings).toHaveLength(before);
    port.asked.splice(0);
    port.plugIn();
    await wait(1500);
    // The name of the same unit is known.
    expect(afterFence(port).slice(0, 4)).toEqual(["QPI", "QID", "QVFW", "QPIGS"]);
    expect(identities).toHaveLength(2);
    expect(identities[1]!.model).toBe("MKS2-8000");
    expect(readings.length).toBeGreaterThan(before);
    expect(statuses.map(({ state }) => state)).toEqual(["online", "lost", "lost", "online"]);
  });

  test("another unit on the same port gets its own id before its first reading", async () => {
    const { wait, port, readings } = unitWith(knows());
    await wait(6000);
    port.pull();
    await wait(6000);
    port.script = knows({ QID: "96332011223344", QPIGS: "NAK" });
    port.plugIn();
    await wait(6000);
    const ids = readings.map(({ inverter, command }) => [inverter, command]);
    expect(ids.filter(([id]) => id === "unit-92931905106458").length).toBeGreaterThan(1);
    expect(ids.at(-1)).toEqual(["unit-96332011223344", "QMOD"]);
    const change = ids.findIndex(([id]) => id === "unit-96332011223344");
    expect(ids.slice(change).every(([id]) => id === "unit-96332011223344")).toBe(true);
  });
});

describe("the other units of a parallel system", () => {
  const record = (serialNumber: string): string =>
    `${/^0+$/.test(serialNumber) ? 0 : 1} ${serialNumber} B 00 231.8 49.96 229.0 50.01 0458 0437 009 52.2 000 030 302.5 000 00848 00774 007 10100010 1 2 060 080 60 00 000`;
  const nobody = record("00000000000000");
  const plan = [{ request: findRequest("QPGS0"), everyMs: 10_000 }];

  test("are found behind one that is off, and one that is gone is asked on until it is back", async () => {
    const units = [record("92931905106458"), nobody, record("92931905106463"), nobody, nobody];
    const { wait, readings, port } = unitWith(
      (command) => units[Number(/^QPGS(\d)$/.exec(command)?.[1] ?? Number.NaN)] ?? knows()(command),
      plan,
    );
    await wait(15_000);
    const heard = (): string[] => [...new Set(readings.map(({ command }) => command))].toSorted();
    expect(heard()).toEqual(["QPGS0", "QPGS2"]);
    expect(port.commands().filter((command) => command === "QPGS1")).toHaveLength(1);
    units[2] = nobody;
    await wait(120_000);
    readings.splice(0);
    units[2] = record("92931905106463");
    await wait(15_000);
    expect(heard()).toEqual(["QPGS0", "QPGS2"]);
  });

  test("are asked for their further solar chargers, as long as they are there", async () => {
    const further = (exists: 0 | 1): string => `${exists} 00850 102.5 0012 00638 101.8 0011 00585 11110000`;
    const answers: Record<string, string> = {
      QPGS0: record("92931905106458"),
      QPGS1: record("92931905106463"),
      QPGS2: nobody,
      QPGS3: nobody,
      QP2GS0: further(1),
      QP2GS1: further(1),
    };
    const { wait, readings, port } = unitWith(
      (command) => answers[command] ?? knows()(command),
      ["QPGS0", "QP2GS0"].map((command) => ({ request: findRequest(command), everyMs: 10_000 })),
    );
    await wait(25_000);
    expect(readings.find(({ command }) => command === "QP2GS1")?.values["pv2Power"]).toBe(638);
    expect(port.commands()).not.toContain("QP2GS2");
    answers["QP2GS1"] = further(0);
    await wait(15_000);
    readings.splice(0);
    await wait(20_000);
    expect(readings.some(({ command }) => command === "QP2GS1")).toBe(false);
  });
});

test("the end resolves, whatever the unit is doing", async () => {
  for (const [script, ms] of [
    [knows(), 0],
    [knows(), 30],
    [knows(), 7000],
    [knows({ QPI: "PI41" }), 3000],
    [nothing, 4000],
    [knows({ QID: undefined }), 2000],
  ] as const) {
    const { wait, end, clock } = unitWith(script);
    await wait(ms);
    const at = clock.monotonic();
    await expect(end()).resolves.toEqual([undefined, undefined]);
    expect(clock.monotonic()).toBe(at);
  }
});

test("a fault of the program in a callback ends the run instead of vanishing", async () => {
  const clock = new VirtualClock(0);
  const port = new ScriptedPort(clock, knows());
  const stop = new AbortController();
  const logger = recordingLogger();
  const line = new Line({ open: port.open, clock, logger, random: () => 0.5, onStatus: () => undefined });
  const unit = new Unit({
    line,
    clock,
    logger,
    plan: [{ request: findRequest("QPIGS"), everyMs: 5000 }],
    onIdentity: () => "unit",
    onReading: () => {
      throw new RangeError("a bug");
    },
    onProblem: () => undefined,
  });
  const running = line.run({ signal: stop.signal });
  await expect(unit.run({ signal: stop.signal })).rejects.toThrow("a bug");
  stop.abort(new Error("the test is over"));
  await running;
});
