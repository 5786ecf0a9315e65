import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { failureOf } from "../../test/support/failure.ts";
import { liveRig } from "../../test/support/live-rig.ts";
import { knows, nothing, ScriptedPort, type Script } from "../../test/support/scripted-port.ts";
import { TransportError } from "../model/errors.ts";
import type { InverterInfo, LinkStatus, Reading } from "../model/reading.ts";
import { findRequest } from "../protocol/pi30/dialect.ts";
import { serialNumberOf } from "../sim/answers.ts";
import type { LiveInverter, Target } from "./live-inverter.ts";

const serialNumber = "92931905106458";
const other = "96332011223344";

/** What an output has heard, in a form to compare. */
class Recorder {
  readonly name = "recorder";
  readonly heard: string[] = [];
  readonly statuses: { readonly status: LinkStatus; readonly info: InverterInfo }[] = [];
  readonly readings: { readonly reading: Reading; readonly info: InverterInfo }[] = [];

  status(status: LinkStatus, info: InverterInfo): void {
    this.heard.push(`${info.id} ${status.state}`);
    this.statuses.push({ status, info });
  }

  reading(reading: Reading, info: InverterInfo): void {
    this.heard.push(`${info.id} ${reading.command}`);
    this.readings.push({ reading, info });
  }

  forget(id: string): void {
    this.heard.push(`${id} forgotten`);
  }
}

let folder: string;
const stops: (() => Promise<void>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-live-"));
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await rm(folder, { recursive: true });
});

/** The program around one or more inverters; `page` also gets what all outputs get. */
async function program() {
  const outputs = new Recorder();
  const page = new Recorder();
  const plan = [{ request: findRequest("QPIGS"), everyMs: 5000 }];
  const rig = await liveRig({ folder, plan, outputs, page });
  const { clock, logger, registry, wait } = rig;
  const add = (script: Script, overrides: Partial<Target> = {}) => {
    const port = new ScriptedPort(clock, script);
    return { port, inverter: rig.add(port.open, overrides) };
  };
  const start = (...inverters: readonly LiveInverter[]): (() => Promise<void>) => {
    const end = rig.start(...inverters);
    stops.push(end);
    return end;
  };
  return { clock, logger, registry, outputs, page, add, start, wait };
}

/** A run of the program that has met this unit. */
async function met(script: Script, overrides: Partial<Target> = {}): Promise<void> {
  const { add, start, wait } = await program();
  const end = start(add(script, overrides).inverter);
  await wait(1000);
  await end();
}

describe("an inverter that nobody has met yet", () => {
  test("is on the page under a provisional name only, until it has said who it is", async () => {
    const { add, start, wait, outputs, page } = await program();
    const { inverter } = add(knows());
    expect(inverter.info).toEqual({ id: "inverter-1", device: "serial:/dev/ttyUSB0", simulated: false });
    start(inverter);
    await wait(1000);
    expect(page.heard).toEqual(["inverter-1 starting", "inverter-1 forgotten"]);
    expect(outputs.heard).toEqual([`axpert-${serialNumber} online`, `axpert-${serialNumber} QPIGS`]);
    expect(inverter.info).toEqual({
      id: `axpert-${serialNumber}`,
      device: "serial:/dev/ttyUSB0",
      simulated: false,
      serialNumber,
      model: "MKS2-8000",
      firmware: "00079.70",
    });
    expect(outputs.readings[0]).toMatchObject({ reading: { inverter: `axpert-${serialNumber}` }, info: { serialNumber } });
    expect(inverter.counters.accepted).toBeGreaterThan(4);
  });

  test("and is not there leaves no trace but on the page", async () => {
    const { add, start, wait, outputs, page } = await program();
    const { port, inverter } = add(knows());
    port.pull();
    start(inverter);
    await wait(60_000);
    expect(outputs.heard).toEqual([]);
    expect(page.heard).toEqual(["inverter-1 starting", "inverter-1 lost"]);
    port.plugIn();
    await wait(2000);
    expect(outputs.heard[0]).toBe(`axpert-${serialNumber} online`);
    expect(page.heard.at(-1)).toBe("inverter-1 forgotten");
  });

  test("and cannot be used is on the page with the reason, told once however often it is asked", async () => {
    const { add, start, wait, outputs, page, logger, clock } = await program();
    const { inverter } = add(knows({ QPI: "PI41" }));
    start(inverter);
    await wait(1000);
    const since = clock.now();
    await wait(120_000);
    expect(outputs.heard).toEqual([]);
    expect(page.heard).toEqual(["inverter-1 starting", "inverter-1 silent"]);
    expect(page.statuses.at(-1)?.status.message).toMatch(/"PI41": this protocol is not supported/);
    expect(page.statuses.at(-1)?.status.since).toBeLessThan(since);
    expect(logger.texts("warn")).toHaveLength(1);
  });
});

describe("an inverter that is known", () => {
  test("is published as absent at once, under its own id, when it is absent at the start", async () => {
    await met(knows());
    const { add, start, wait, outputs } = await program();
    const { port, inverter } = add(knows());
    port.pull();
    start(inverter);
    await wait(10);
    expect(outputs.heard).toEqual([`axpert-${serialNumber} starting`, `axpert-${serialNumber} lost`]);
    expect(outputs.statuses.at(-1)?.status.message).toMatch(/no such device/);
    port.plugIn();
    await wait(2000);
    expect(outputs.heard.slice(2)).toEqual([`axpert-${serialNumber} online`, `axpert-${serialNumber} QPIGS`]);
  });

  test("goes offline at the first sign and online only with its name", async () => {
    const { add, start, wait, outputs } = await program();
    const { port, inverter } = add(knows());
    start(inverter);
    await wait(6000);
    port.pull();
    await wait(5000);
    outputs.heard.splice(0);
    port.script = knows({ QVFW: undefined });
    port.plugIn();
    await wait(1500);
    // It answers, but not yet who it is.
    expect(outputs.heard).toEqual([]);
    await wait(10_000);
    expect(outputs.heard.slice(0, 2)).toEqual([`axpert-${serialNumber} online`, `axpert-${serialNumber} QPIGS`]);
  });

  test("that hangs is told within three poll periods of its last reading, and back within 15 s of being switched off and on", async () => {
    for (const phase of [0, 1200, 2400, 3600, 4800]) {
      const { add, start, wait, outputs, clock } = await program();
      const { port, inverter } = add(knows());
      const end = start(inverter);
      await wait(10_000 + phase);
      port.script = nothing;
      await wait(60_000);
      const last = outputs.readings.at(-1)!.reading.at;
      const told = outputs.statuses.at(-1)!.status;
      expect(told).toMatchObject({ state: "silent", message: expect.stringMatching(/switch the inverter off and on/) as string });
      expect(told.since - last).toBeLessThan(15_000);
      await wait(600_000);
      port.script = knows();
      const on = clock.now();
      await wait(15_000);
      expect(outputs.readings.at(-1)!.reading.at).toBeGreaterThan(on);
      await end();
    }
  });

  test("gives way to another one in its place, and is told to be gone", async () => {
    await met(knows());
    const { add, start, wait, outputs } = await program();
    const { inverter } = add(knows({ QID: other }));
    start(inverter);
    await wait(1000);
    expect(outputs.heard).toEqual([
      `axpert-${serialNumber} starting`,
      `axpert-${serialNumber} lost`,
      `axpert-${other} online`,
      `axpert-${other} QPIGS`,
    ]);
    expect(outputs.statuses[1]?.status.message).toBe(`Another inverter, axpert-${other}, answers in its place.`);
  });

  test("by the configuration has that name from the start", async () => {
    const { add, start, wait, outputs, page } = await program();
    const { inverter } = add(knows(), { wantedId: "garage" });
    start(inverter);
    await wait(1000);
    expect(outputs.heard).toEqual(["garage starting", "garage online", "garage QPIGS"]);
    expect(page.heard).toEqual([]);
  });
});

describe("two inverters", () => {
  const second = { device: "serial:/dev/ttyUSB1", location: "/dev/ttyUSB1", provisionalId: "inverter-2" };

  test("that have changed places keep their ids, and none is told to be gone", async () => {
    {
      const { add, start, wait } = await program();
      const end = start(add(knows()).inverter, add(knows({ QID: other }), second).inverter);
      await wait(1000);
      await end();
    }
    const { add, start, wait, outputs } = await program();
    const [a, b] = [add(knows({ QID: other })), add(knows(), second)];
    start(a.inverter, b.inverter);
    await wait(2000);
    expect([a.inverter.info.id, b.inverter.info.id]).toEqual([`axpert-${other}`, `axpert-${serialNumber}`]);
    for (const id of [serialNumber, other]) {
      const last = outputs.statuses.findLast(({ info }) => info.id === `axpert-${id}`);
      expect(last?.status.state).toBe("online");
    }
  });

  test("on two cables: when one is pulled, the other goes on", async () => {
    const { add, start, wait, outputs } = await program();
    const [a, b] = [add(knows()), add(knows({ QID: other }), second)];
    start(a.inverter, b.inverter);
    await wait(6000);
    outputs.heard.splice(0);
    a.port.pull();
    await wait(60_000);
    expect(outputs.heard.filter((each) => each === `axpert-${other} QPIGS`)).toHaveLength(12);
    expect(outputs.heard.filter((each) => each.startsWith(`axpert-${serialNumber}`))).toEqual([
      `axpert-${serialNumber} lost`,
      `axpert-${serialNumber} lost`,
    ]);
  });

  test("that has moved to the other's free port is the same again, and the port it left says nothing about it", async () => {
    await met(knows());
    const { add, start, wait, outputs, page } = await program();
    const [a, b] = [add(knows()), add(knows(), second)];
    a.port.pull();
    start(a.inverter, b.inverter);
    await wait(2000);
    expect(b.inverter.info.id).toBe(`axpert-${serialNumber}`);
    outputs.heard.splice(0);
    // The empty port finds out something new about its own emptiness.
    a.port.absent = new TransportError("transport-open", "permission denied");
    await wait(2000);
    expect(outputs.heard.filter((each) => !each.endsWith("QPIGS"))).toEqual([]);
    expect(page.heard.at(-1)).toBe("inverter-1 lost");
  });
});

describe("a simulated unit", () => {
  test("behind a port is marked as such as soon as it has answered, and from the start the next time", async () => {
    const script = knows({ QID: serialNumberOf(0) });
    {
      const { add, start, wait, outputs } = await program();
      const end = start(add(script).inverter);
      await wait(1000);
      await end();
      expect(outputs.statuses[0]?.info).toMatchObject({ id: `simulated-${serialNumberOf(0)}`, simulated: true });
    }
    const { add } = await program();
    expect(add(nothing).inverter.info).toMatchObject({ id: `simulated-${serialNumberOf(0)}`, simulated: true });
  });

  test("of our own is marked before it has answered", async () => {
    const { add } = await program();
    expect(add(nothing, { simulated: true, location: "sim", device: "sim:" }).inverter.info).toMatchObject({ simulated: true });
  });
});

test("a fault of the program on one line ends its run with that fault", async () => {
  const { add, wait } = await program();
  const { inverter } = add(knows(), { open: () => Promise.reject(new RangeError("a bug")) });
  const failed = failureOf(inverter.run({ signal: new AbortController().signal }));
  await wait(10);
  expect(await failed).toMatchObject({ message: "a bug" });
});

test("PV power that does not fit load and battery for an hour is told of, and published as estimated", async () => {
  const plan = ["QPIGS", "QMOD"].map((command) => ({ request: findRequest(command), everyMs: 30_000 }));
  const outputs = new Recorder();
  const rig = await liveRig({ folder, plan, outputs });
  // On the battery, 2000 W from the sun, 138 W of load, and a battery that takes nothing.
  const QPIGS = "000.0 00.0 230.0 49.9 0210 0138 004 418 52.00 000 100 0048 03.1 300.0 00.00 00001 00010000 00 00 02000 110";
  const inverter = rig.add(new ScriptedPort(rig.clock, knows({ QPIGS, QMOD: "B" })).open);
  stops.push(rig.start(inverter));
  await rig.wait(55 * 60_000);
  const last = (): Reading | undefined => outputs.readings.findLast(({ reading }) => reading.command === "QPIGS")?.reading;
  expect(inverter.card?.balance).toMatchObject({ state: "notYet" });
  expect(last()).not.toHaveProperty("estimated");
  await rig.wait(10 * 60_000);
  expect(inverter.card?.balance).toMatchObject({ state: "fails" });
  expect(inverter.link.findings.map(({ code }) => code)).toContain("pv-power-doubtful");
  expect(last()).toMatchObject({ estimated: ["pv1Power"], values: { pv1Power: 2000 } });
});
