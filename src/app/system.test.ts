import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { benchStart, byId, codes, pollMs, record, serials, status, SystemBench } from "../../test/support/system-bench.ts";
import type { InverterInfo } from "../model/reading.ts";

let bench: SystemBench;
beforeEach(async () => {
  bench = await SystemBench.open();
});
afterEach(() => bench[Symbol.asyncDispose]());

describe("one cable", () => {
  test("tells of all units: each is a device of its own, and the total counts each once", () => {
    const a = bench.plug("usb-1", serials.a);
    bench.say(a, "QPIGS", status(320));
    bench.tell(a, [record(serials.a, 323), record(serials.b, 437), record(serials.c, 240)]);
    const state = bench.system.state();
    expect(state.members.map(({ id }) => id)).toEqual([`axpert-${serials.a}`, `axpert-${serials.b}`, `axpert-${serials.c}`]);
    expect(state).toMatchObject({ expected: 3, answering: 3, alarms: [], simulated: false });
    // Of the unit at the cable the faster answer counts.
    expect(state.totals["loadActivePower"]).toEqual({
      value: 997,
      origin: "derived",
      at: benchStart,
      units: 3,
      expected: 3,
      complete: true,
    });
    expect(state.totals["batteryCurrent"]).toMatchObject({ value: 30, units: 3 });
    expect(byId(state).get(`axpert-${serials.b}`)).toMatchObject({
      ownCable: false,
      through: [{ inverter: a.id, position: 1 }],
      state: "live",
      serialNumber: serials.b,
      values: { loadActivePower: { value: 437, command: "QPGS1", from: a.id, live: true, origin: "measured" } },
    });
  });

  test("tells no PV power of the others where the record does not carry it: the total is partial, and absent is not 0", () => {
    const a = bench.plug("usb-1", serials.a);
    bench.say(a, "QPIGS", status(320));
    bench.tell(a, [record(serials.a, 323), record(serials.b, 437, { pv1Voltage: 300, pv1Current: 4 })]);
    const { totals, members } = bench.system.state();
    expect(totals["pvPower"]).toMatchObject({ value: 500, units: 1, expected: 2, complete: false });
    expect(members[1]?.values).not.toHaveProperty("pvPower");
  });

  test("tells an estimate of it where the record has volts and amperes of both inputs, marked as one", () => {
    const a = bench.plug("usb-1", serials.a);
    bench.say(a, "QPIGS", status(320));
    bench.tell(a, [undefined, record(serials.b, 437, { pv1Voltage: 349.8, pv1Current: 2, pv2Voltage: 275.3, pv2Current: 2 })]);
    const { totals, members } = bench.system.state();
    expect(members[1]?.values["pvPower"]).toMatchObject({ value: 1250, origin: "estimated" });
    expect(totals["pvPower"]).toMatchObject({ value: 1750, origin: "estimated", complete: true });
  });

  test("of a single unit that repeats its own data tells of one unit", () => {
    const a = bench.plug("usb-1", serials.a);
    bench.say(a, "QPIGS", status(320));
    bench.say(a, "QPGS0", record(serials.a, 320, { unitExists: false, outputMode: "single" }));
    expect(bench.system.state()).toMatchObject({ expected: 1, answering: 1, alarms: [] });
    expect(bench.system.state().members[0]?.through).toEqual([]);
  });
});

describe("a unit that no longer answers", () => {
  test("is stale within three polls, is told, and is out of the total, which says so", () => {
    const a = bench.plug("usb-1", serials.a);
    bench.tell(a, [record(serials.a, 300), record(serials.b, 400)]);
    const lastOfB = bench.now;
    for (let round = 0; round < 3; round++) {
      bench.now += pollMs;
      bench.tell(a, [record(serials.a, 300)]);
    }
    const state = bench.system.state();
    expect(bench.now - lastOfB).toBeGreaterThan(3 * pollMs);
    expect(state).toMatchObject({ expected: 2, answering: 1 });
    expect(state.totals["loadActivePower"]).toMatchObject({ value: 300, units: 1, expected: 2, complete: false });
    expect(byId(state).get(`axpert-${serials.b}`)).toMatchObject({
      state: "stale",
      seenAt: lastOfB,
      values: { loadActivePower: { value: 400, live: false } },
    });
    expect(state.alarms).toMatchObject([
      { code: "unit-missing", severity: "warning", inverters: [`axpert-${serials.b}`], since: bench.now },
    ]);
    expect(state.alarms[0]?.message).toBe(
      `axpert-${serials.b} is missing. axpert-${serials.a} no longer tells of it: it is switched off, or its parallel cable is loose. Totals are without it.`,
    );
    bench.now += 10_000;
    expect(bench.system.state().alarms[0]?.since).toBe(bench.now - 10_000);
    bench.tell(a, [record(serials.a, 300), record(serials.b, 410)]);
    expect(bench.system.state()).toMatchObject({ answering: 2, alarms: [] });
  });

  test("is missed after a restart too, but not before it has had its turn", async () => {
    const a = bench.plug("usb-1", serials.a);
    bench.tell(a, [record(serials.a, 300), record(serials.b, 400)]);
    await bench.restart();
    const again = bench.plug("usb-1", serials.a);
    bench.tell(again, [record(serials.a, 300)]);
    expect(bench.system.state()).toMatchObject({ expected: 2, answering: 1, alarms: [] });
    expect(bench.system.state().totals["loadActivePower"]).toMatchObject({ units: 1, expected: 2, complete: false });
    bench.now += 3 * pollMs;
    bench.tell(again, [record(serials.a, 300)]);
    expect(bench.system.state().members[1]).toMatchObject({ id: `axpert-${serials.b}`, state: "unheard", values: {} });
    expect(codes(bench.system.state())).toEqual(["unit-missing"]);
  });

  test("is not missed once the unit at the cable says that it works alone", async () => {
    const a = bench.plug("usb-1", serials.a);
    bench.tell(a, [record(serials.a, 300), record(serials.b, 400)]);
    await bench.restart();
    const again = bench.plug("usb-1", serials.a);
    bench.say(again, "QPIRI", { outputMode: "single" });
    expect(bench.system.state()).toMatchObject({ expected: 1 });
  });

  test("because the one cable is dead is told with the reason, and nothing is summed up", () => {
    const a = bench.plug("usb-1", serials.a);
    bench.say(a, "QPIGS", status(320));
    bench.tell(a, [record(serials.a, 300), record(serials.b, 400)]);
    bench.link(a, "lost", "The port is gone: plug it in again.");
    const state = bench.system.state();
    expect(state).toMatchObject({ expected: 2, answering: 0, totals: {} });
    expect(state.alarms.map(({ message }) => message)).toEqual([
      `axpert-${serials.a} is missing. The port is gone: plug it in again. Totals are without it.`,
      `axpert-${serials.b} is missing. It is seen only at the cable of axpert-${serials.a}, which is dead. Totals are without it.`,
    ]);
  });

  test("at its own cable, but is still told of at another, is live, from there", () => {
    const [a, b] = [bench.plug("usb-1", serials.a), bench.plug("usb-2", serials.b)];
    bench.say(a, "QPIGS", status(300));
    bench.say(b, "QPIGS", status(400));
    bench.tell(a, [record(serials.a, 300), record(serials.b, 410)]);
    expect(bench.system.state().members[1]?.values["loadActivePower"]).toMatchObject({ value: 400, command: "QPIGS", from: b.id });
    bench.link(b, "silent", "It does not answer.");
    const state = bench.system.state();
    expect(state).toMatchObject({ expected: 2, answering: 2, alarms: [] });
    expect(state.members[1]?.values["loadActivePower"]).toMatchObject({ value: 410, command: "QPGS1", from: a.id, live: true });
    expect(state.totals["loadActivePower"]).toMatchObject({ value: 710, complete: true });
  });

  test("and has never answered counts as expected, until it has said who it is", () => {
    const a = bench.plug("usb-1", serials.a);
    bench.say(a, "QPIGS", status(300));
    bench.link({ id: "inverter-2", device: "serial:/dev/ttyUSB1", simulated: false }, "lost", "No such port.");
    expect(bench.system.state()).toMatchObject({ expected: 2, answering: 1 });
    expect(bench.system.state().totals["loadActivePower"]).toMatchObject({ complete: false });
    bench.system.forget("inverter-2");
    expect(bench.system.state()).toMatchObject({ expected: 1, answering: 1 });
  });
});

describe("a cable each", () => {
  test("and records of the same units are the same devices, whichever is met first", () => {
    const a = bench.plug("usb-1", serials.a);
    bench.tell(a, [record(serials.a, 300), record(serials.b, 400)]);
    const b = bench.plug("usb-2", serials.b);
    bench.tell(b, [record(serials.b, 401), record(serials.a, 301)]);
    bench.say(b, "QPIGS", status(402));
    const state = bench.system.state();
    expect(state.members.map(({ id, ownCable }) => [id, ownCable])).toEqual([
      [`axpert-${serials.a}`, true],
      [`axpert-${serials.b}`, true],
    ]);
    // Of the first, which has not told at its own cable yet, the latest record counts.
    expect(state.totals["loadActivePower"]).toMatchObject({ value: 703, units: 2, complete: true });
  });

  test("of inverters that do not work together: a total, and no talk of settings", () => {
    const [a, b] = [bench.plug("usb-1", serials.a), bench.plug("usb-2", serials.b)];
    for (const [info, volts] of [
      [a, 56.4],
      [b, 28.2],
    ] as const) {
      bench.say(info, "QPIGS", status(300));
      bench.say(info, "QPIRI", { outputMode: "single", batteryBulkVoltage: volts });
    }
    expect(bench.system.state()).toMatchObject({ expected: 2, answering: 2, differences: [], alarms: [] });
    expect(bench.system.state()).not.toHaveProperty("phases");
    expect(bench.system.state().totals["loadActivePower"]).toMatchObject({ value: 600 });
  });
});

test("a fault is told for as long as it is live", () => {
  const a = bench.plug("usb-1", serials.a);
  bench.tell(a, [record(serials.a, 100), record(serials.b, 0, { operatingMode: "fault", faultCode: "09" })]);
  expect(bench.system.state().alarms).toMatchObject([
    { code: "unit-fault", severity: "error", message: `axpert-${serials.b} reports fault 09: Bus start-up failed.` },
  ]);
  bench.tell(a, [record(serials.a, 100), record(serials.b, 0)]);
  expect(bench.system.state().alarms).toEqual([]);
});

test("a unit that the configuration gives another id is one unit", () => {
  const a = bench.plug("usb-1", serials.a);
  bench.tell(a, [record(serials.a, 100), record(serials.b, 200)]);
  const id = bench.registry.identify("usb-2", serials.b, { prefix: "axpert", wanted: "garage" });
  const garage: InverterInfo = { id, device: "serial:usb-2", simulated: false, serialNumber: serials.b };
  bench.link(garage, "online");
  bench.tell(a, [record(serials.a, 100), record(serials.b, 210)]);
  expect(bench.system.state().members.map((member) => member.id)).toEqual([a.id, "garage"]);
});

test("further solar chargers of a numbered unit are its own, and of one that is not there they are no zeros", () => {
  const a = bench.plug("usb-1", serials.a);
  bench.tell(a, [record(serials.a, 100), record(serials.b, 200)]);
  const further = { unitExists: true, pv1Power: 850, pv2Power: 638, pv3Power: 585 };
  bench.say(a, "QP2GS1", further);
  const b = `axpert-${serials.b}`;
  expect(byId(bench.system.state()).get(b)?.values["pvPower"]).toMatchObject({
    value: 2073,
    origin: "derived",
    command: "QP2GS1",
    live: true,
  });
  bench.now += 1000;
  bench.say(a, "QP2GS1", { ...further, unitExists: false, pv1Power: 0, pv2Power: 0, pv3Power: 0 });
  bench.say(a, "QP2GS2", { ...further, unitExists: false, pv1Power: 0, pv2Power: 0, pv3Power: 0 });
  expect(byId(bench.system.state()).get(b)?.values["pvPower"]).toMatchObject({ value: 2073 });
  expect(bench.system.state().expected).toBe(2);
});
