import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { recordingLogger } from "../../test/support/readings.ts";
import type { InverterInfo, LinkStatus, Reading, Values } from "../model/reading.ts";
import type { SystemMember, SystemState } from "../model/system.ts";
import { derive } from "../protocol/reading.ts";
import { InverterRegistry } from "./registry.ts";
import { System } from "./system.ts";

const serials = { a: "92931905106458", b: "92931905106463", c: "92931905106471" } as const;
const clone = "55355535553555";
const start = Date.UTC(2026, 0, 1);
const pollMs = 30_000;

let folder: string;
let registry: InverterRegistry;
let now: number;
let system: System;
const begin = async (): Promise<void> => {
  registry = await InverterRegistry.open(join(folder, "inverters.json"), { logger: recordingLogger() });
  system = new System({ known: registry, now: () => now, staleAfterMs: (command) => (command.startsWith("QPIGS") ? 15_000 : 3 * pollMs) });
};
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sonkrag-system-"));
  now = start;
  await begin();
});
afterEach(async () => {
  await registry.saved();
  await rm(folder, { recursive: true });
});

/** The program is started anew. */
async function restart(): Promise<void> {
  await registry.saved();
  await begin();
}

/** A unit at a cable. */
function plug(place: string, serialNumber: string, outputMode?: string): InverterInfo {
  registry.expect(place);
  const id = registry.identify(place, serialNumber, { prefix: "axpert", outputMode });
  const info: InverterInfo = { id, device: `serial:${place}`, simulated: false, serialNumber };
  link(info, "online");
  return info;
}

function link(info: InverterInfo, state: LinkStatus["state"], message = ""): void {
  system.status({ state, since: now, message }, info);
}

function say(info: InverterInfo, command: string, values: Values): void {
  const reading: Reading = { inverter: info.id, at: now, command, payload: "", values, derived: derive(values), tail: [] };
  system.reading(reading, info);
}

const status = (watts: number, more: Values = {}): Values => ({
  loadActivePower: watts,
  loadApparentPower: watts + 50,
  batteryVoltage: 52,
  batteryChargeCurrent: 0,
  batteryDischargeCurrent: 10,
  pv1Power: 500,
  ...more,
});

const record = (serialNumber: string, watts: number, more: Values = {}): Values => ({
  unitExists: true,
  serialNumber,
  operatingMode: "battery",
  faultCode: "00",
  outputMode: "parallel",
  loadActivePower: watts,
  loadApparentPower: watts + 50,
  batteryVoltage: 52,
  batteryChargeCurrent: 0,
  batteryDischargeCurrent: 10,
  ...more,
});

/** One round of what this cable tells of, by number. */
function tell(info: InverterInfo, records: readonly (Values | undefined)[]): void {
  for (const [n, values] of records.entries()) {
    now += 500;
    if (values !== undefined) say(info, `QPGS${n}`, values);
  }
}

const byId = (state: SystemState): Map<string, SystemMember> => new Map(state.members.map((member) => [member.id, member]));
const codes = (state: SystemState): string[] => state.alarms.map(({ code }) => code);

describe("one cable", () => {
  test("tells of all units: each is a device of its own, and the total counts each once", () => {
    const a = plug("usb-1", serials.a);
    say(a, "QPIGS", status(320));
    tell(a, [record(serials.a, 323), record(serials.b, 437), record(serials.c, 240)]);
    const state = system.state();
    expect(state.members.map(({ id }) => id)).toEqual([`axpert-${serials.a}`, `axpert-${serials.b}`, `axpert-${serials.c}`]);
    expect(state).toMatchObject({ expected: 3, answering: 3, alarms: [], simulated: false });
    // Of the unit at the cable the faster answer counts.
    expect(state.totals["loadActivePower"]).toEqual({ value: 997, origin: "derived", at: start, units: 3, expected: 3, complete: true });
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
    const a = plug("usb-1", serials.a);
    say(a, "QPIGS", status(320));
    tell(a, [record(serials.a, 323), record(serials.b, 437, { pv1Voltage: 300, pv1Current: 4 })]);
    const { totals, members } = system.state();
    expect(totals["pvPower"]).toMatchObject({ value: 500, units: 1, expected: 2, complete: false });
    expect(members[1]?.values).not.toHaveProperty("pvPower");
  });

  test("tells an estimate of it where the record has volts and amperes of both inputs, marked as one", () => {
    const a = plug("usb-1", serials.a);
    say(a, "QPIGS", status(320));
    tell(a, [undefined, record(serials.b, 437, { pv1Voltage: 349.8, pv1Current: 2, pv2Voltage: 275.3, pv2Current: 2 })]);
    const { totals, members } = system.state();
    expect(members[1]?.values["pvPower"]).toMatchObject({ value: 1250, origin: "estimated" });
    expect(totals["pvPower"]).toMatchObject({ value: 1750, origin: "estimated", complete: true });
  });

  test("of a single unit that repeats its own data tells of one unit", () => {
    const a = plug("usb-1", serials.a);
    say(a, "QPIGS", status(320));
    say(a, "QPGS0", record(serials.a, 320, { unitExists: false, outputMode: "single" }));
    expect(system.state()).toMatchObject({ expected: 1, answering: 1, alarms: [] });
    expect(system.state().members[0]?.through).toEqual([]);
  });
});

describe("a unit that no longer answers", () => {
  test("is stale within three polls, is told, and is out of the total, which says so", () => {
    const a = plug("usb-1", serials.a);
    tell(a, [record(serials.a, 300), record(serials.b, 400)]);
    const lastOfB = now;
    for (let round = 0; round < 3; round++) {
      now += pollMs;
      tell(a, [record(serials.a, 300)]);
    }
    const state = system.state();
    expect(now - lastOfB).toBeGreaterThan(3 * pollMs);
    expect(state).toMatchObject({ expected: 2, answering: 1 });
    expect(state.totals["loadActivePower"]).toMatchObject({ value: 300, units: 1, expected: 2, complete: false });
    expect(byId(state).get(`axpert-${serials.b}`)).toMatchObject({
      state: "stale",
      seenAt: lastOfB,
      values: { loadActivePower: { value: 400, live: false } },
    });
    expect(state.alarms).toMatchObject([{ code: "unit-missing", severity: "warning", inverters: [`axpert-${serials.b}`], since: now }]);
    expect(state.alarms[0]?.message).toBe(
      `axpert-${serials.b} is missing. axpert-${serials.a} no longer tells of it: it is switched off, or its parallel cable is loose. Totals are without it.`,
    );
    now += 10_000;
    expect(system.state().alarms[0]?.since).toBe(now - 10_000);
    tell(a, [record(serials.a, 300), record(serials.b, 410)]);
    expect(system.state()).toMatchObject({ answering: 2, alarms: [] });
  });

  test("is missed after a restart too, but not before it has had its turn", async () => {
    const a = plug("usb-1", serials.a);
    tell(a, [record(serials.a, 300), record(serials.b, 400)]);
    await restart();
    const again = plug("usb-1", serials.a);
    tell(again, [record(serials.a, 300)]);
    expect(system.state()).toMatchObject({ expected: 2, answering: 1, alarms: [] });
    expect(system.state().totals["loadActivePower"]).toMatchObject({ units: 1, expected: 2, complete: false });
    now += 3 * pollMs;
    tell(again, [record(serials.a, 300)]);
    expect(system.state().members[1]).toMatchObject({ id: `axpert-${serials.b}`, state: "unheard", values: {} });
    expect(codes(system.state())).toEqual(["unit-missing"]);
  });

  test("is not missed once the unit at the cable says that it works alone", async () => {
    const a = plug("usb-1", serials.a);
    tell(a, [record(serials.a, 300), record(serials.b, 400)]);
    await restart();
    const again = plug("usb-1", serials.a);
    say(again, "QPIRI", { outputMode: "single" });
    expect(system.state()).toMatchObject({ expected: 1 });
  });

  test("because the one cable is dead is told with the reason, and nothing is summed up", () => {
    const a = plug("usb-1", serials.a);
    say(a, "QPIGS", status(320));
    tell(a, [record(serials.a, 300), record(serials.b, 400)]);
    link(a, "lost", "The port is gone: plug it in again.");
    const state = system.state();
    expect(state).toMatchObject({ expected: 2, answering: 0, totals: {} });
    expect(state.alarms.map(({ message }) => message)).toEqual([
      `axpert-${serials.a} is missing. The port is gone: plug it in again. Totals are without it.`,
      `axpert-${serials.b} is missing. It is seen only at the cable of axpert-${serials.a}, which is dead. Totals are without it.`,
    ]);
  });

  test("at its own cable, but is still told of at another, is live, from there", () => {
    const [a, b] = [plug("usb-1", serials.a), plug("usb-2", serials.b)];
    say(a, "QPIGS", status(300));
    say(b, "QPIGS", status(400));
    tell(a, [record(serials.a, 300), record(serials.b, 410)]);
    expect(system.state().members[1]?.values["loadActivePower"]).toMatchObject({ value: 400, command: "QPIGS", from: b.id });
    link(b, "silent", "It does not answer.");
    const state = system.state();
    expect(state).toMatchObject({ expected: 2, answering: 2, alarms: [] });
    expect(state.members[1]?.values["loadActivePower"]).toMatchObject({ value: 410, command: "QPGS1", from: a.id, live: true });
    expect(state.totals["loadActivePower"]).toMatchObject({ value: 710, complete: true });
  });

  test("and has never answered counts as expected, until it has said who it is", () => {
    const a = plug("usb-1", serials.a);
    say(a, "QPIGS", status(300));
    link({ id: "inverter-2", device: "serial:/dev/ttyUSB1", simulated: false }, "lost", "No such port.");
    expect(system.state()).toMatchObject({ expected: 2, answering: 1 });
    expect(system.state().totals["loadActivePower"]).toMatchObject({ complete: false });
    system.forget("inverter-2");
    expect(system.state()).toMatchObject({ expected: 1, answering: 1 });
  });
});

describe("a cable each", () => {
  test("and records of the same units are the same devices, whichever is met first", () => {
    const a = plug("usb-1", serials.a);
    tell(a, [record(serials.a, 300), record(serials.b, 400)]);
    const b = plug("usb-2", serials.b);
    tell(b, [record(serials.b, 401), record(serials.a, 301)]);
    say(b, "QPIGS", status(402));
    const state = system.state();
    expect(state.members.map(({ id, ownCable }) => [id, ownCable])).toEqual([
      [`axpert-${serials.a}`, true],
      [`axpert-${serials.b}`, true],
    ]);
    // Of the first, which has not told at its own cable yet, the latest record counts.
    expect(state.totals["loadActivePower"]).toMatchObject({ value: 703, units: 2, complete: true });
  });

  test("of inverters that do not work together: a total, and no talk of settings", () => {
    const [a, b] = [plug("usb-1", serials.a), plug("usb-2", serials.b)];
    for (const [info, volts] of [
      [a, 56.4],
      [b, 28.2],
    ] as const) {
      say(info, "QPIGS", status(300));
      say(info, "QPIRI", { outputMode: "single", batteryBulkVoltage: volts });
    }
    expect(system.state()).toMatchObject({ expected: 2, answering: 2, differences: [], alarms: [] });
    expect(system.state()).not.toHaveProperty("phases");
    expect(system.state().totals["loadActivePower"]).toMatchObject({ value: 600 });
  });
});

describe("three phases", () => {
  const modes = ["phase1Of3", "phase2Of3", "phase3Of3"] as const;

  test("are a map, each with its units and its sum", () => {
    const a = plug("usb-1", serials.a);
    tell(
      a,
      [serials.a, serials.b, serials.c].map((serial, n) => record(serial, 100 * (n + 1), { outputMode: modes[n]! })),
    );
    expect(system.state().phases).toMatchObject([
      { phase: "L1", members: [`axpert-${serials.a}`], totals: { loadActivePower: { value: 100, complete: true } } },
      { phase: "L2", members: [`axpert-${serials.b}`], totals: { loadActivePower: { value: 200 } } },
      { phase: "L3", members: [`axpert-${serials.c}`], totals: { loadActivePower: { value: 300 } } },
    ]);
  });

  test("of which one unit tells only of itself: the others are expected, and said to be unknown", () => {
    const a = plug("usb-1", serials.a);
    say(a, "QPIGS", status(320));
    say(a, "QPIRI", { outputMode: "phase2Of3" });
    now += 14_000;
    expect(system.state()).toMatchObject({ expected: 3, answering: 1, alarms: [] });
    expect(system.state().totals["loadActivePower"]).toMatchObject({ units: 1, expected: 3, complete: false });
    now += 3 * pollMs;
    say(a, "QPIGS", status(320));
    expect(codes(system.state())).toEqual(["phase-without-unit", "phase-without-unit"]);
    expect(system.state().alarms[0]?.message).toMatch(/^No unit is known on phase L1\. /);
  });

  test("one dark: an error beside the missing unit", () => {
    const a = plug("usb-1", serials.a);
    const round = (units: number): void =>
      tell(
        a,
        [serials.a, serials.b, serials.c].map((serial, n) => (n < units ? record(serial, 100, { outputMode: modes[n]! }) : undefined)),
      );
    round(3);
    for (let count = 0; count < 4; count++) {
      now += pollMs;
      round(2);
    }
    expect(system.state().alarms).toMatchObject([
      { code: "phase-without-unit", severity: "error", message: "No unit answers on phase L3." },
      { code: "unit-missing", inverters: [`axpert-${serials.c}`] },
    ]);
    expect(system.state().phases?.[2]).toEqual({ phase: "L3", members: [`axpert-${serials.c}`], totals: {} });
  });

  test("and a unit that is set otherwise: an error", () => {
    const a = plug("usb-1", serials.a);
    tell(a, [record(serials.a, 100, { outputMode: "phase1Of3" }), record(serials.b, 100, { outputMode: "parallel" })]);
    expect(system.state().alarms).toMatchObject([{ code: "output-modes-differ", severity: "error" }]);
    expect(system.state().alarms[0]?.message).toContain(
      `axpert-${serials.a} as one of three phases, axpert-${serials.b} parallel on one phase`,
    );
  });
});

describe("units that answer one serial number", () => {
  const modes = ["phase1Of3", "phase2Of3", "phase3Of3"] as const;
  const clones = (loads: readonly number[]): Values[] => loads.map((watts, n) => record(clone, watts, { outputMode: modes[n]! }));

  test("are three devices by their phases, the same over one cable and over three", async () => {
    const a = plug("usb-1", clone, modes[0]);
    say(a, "QPIGS", status(101));
    tell(a, clones([100, 200, 300]));
    const first = system.state();
    expect(first).toMatchObject({ expected: 3, answering: 3 });
    expect(first.members.map(({ phase }) => phase)).toEqual(["L1", "L2", "L3"]);
    expect(first.totals["loadActivePower"]).toMatchObject({ value: 601, complete: true });
    expect(first.alarms).toMatchObject([{ code: "equal-serial-numbers", severity: "note" }]);
    const ids = first.members.map(({ id }) => id);

    await restart();
    for (const place of ["usb-1", "usb-2", "usb-3"]) registry.expect(place);
    const cables = modes.map((mode, n) => plug(`usb-${n + 1}`, clone, mode));
    for (const [n, info] of cables.entries()) {
      say(info, "QPIGS", status(100 * (n + 1)));
      tell(info, clones([100, 200, 300]));
    }
    const second = system.state();
    expect(second.members.map(({ id, ownCable }) => [id, ownCable])).toEqual(ids.map((id) => [id, true]));
    expect(second.totals["loadActivePower"]).toMatchObject({ value: 600, complete: true });
  });

  test("do not change places when one is off and the numbers behind it move up", () => {
    const a = plug("usb-1", clone, modes[0]);
    for (let round = 0; round < 2; round++) {
      tell(a, clones([100, 200, 300]));
      now += pollMs;
    }
    const [l1, l2, l3] = system.state().members.map(({ id }) => id);
    const [first, , third] = clones([110, 0, 330]);
    for (let round = 0; round < 4; round++) {
      tell(a, [first, third]);
      now += pollMs;
    }
    tell(a, [first, third]);
    const state = system.state();
    expect(state).toMatchObject({ expected: 3, answering: 2 });
    expect(byId(state).get(l1!)?.values["loadActivePower"]).toMatchObject({ value: 110, live: true });
    expect(byId(state).get(l2!)).toMatchObject({ state: "stale" });
    expect(byId(state).get(l3!)).toMatchObject({ state: "live", phase: "L3", through: [{ position: 1 }] });
    expect(state.totals["loadActivePower"]).toMatchObject({ value: 440, units: 2, complete: false });
  });

  test("and one phase are told apart by their numbers, once a second round has shown that they are several", () => {
    const a = plug("usb-1", clone, "parallel");
    say(a, "QPIGS", status(300));
    const records = [100, 200, 300].map((watts) => record(clone, watts));
    tell(a, records);
    expect(system.state().members).toHaveLength(1);
    now += 10_000;
    tell(a, records);
    say(a, "QPIGS", status(300));
    const state = system.state();
    expect(state).toMatchObject({ expected: 3, answering: 3 });
    // Which record is that of the unit at the cable is not known: all three come from the records, so none counts twice.
    expect(state.totals["loadActivePower"]).toMatchObject({ value: 600, complete: true });
    const ids = state.members.map(({ id }) => id);
    tell(a, records);
    expect(system.state().members.map(({ id }) => id)).toEqual(ids);
  });

  test("and a cable each are as many devices as cables, also while a cable has not answered yet", async () => {
    const places = ["usb-1", "usb-2", "usb-3"] as const;
    const infos = places.map((place) => plug(place, clone, "parallel"));
    const ids = infos.map(({ id }) => id);
    const records = [100, 200, 300].map((watts) => record(clone, watts));
    for (let round = 0; round < 3; round++) for (const info of infos) tell(info, records);
    expect(system.state().members.map(({ id }) => id)).toEqual(ids);
    await restart();
    for (const place of places) registry.expect(place);
    const a = plug("usb-1", clone, "parallel");
    for (let round = 0; round < 3; round++) tell(a, records);
    for (const place of places.slice(1)) plug(place, clone, "parallel");
    expect(new Set(system.state().members.map(({ id }) => id))).toEqual(new Set(ids));
  });
});

test("a number that another unit takes over for a moment makes no device of it", () => {
  const a = plug("usb-1", serials.a);
  tell(a, [record(serials.a, 100), record(serials.b, 200), record(serials.c, 300)]);
  for (let round = 0; round < 2; round++) {
    now += pollMs;
    tell(a, [record(serials.a, 100), record(serials.c, 310)]);
  }
  const state = system.state();
  expect(state.members).toHaveLength(3);
  expect(byId(state).get(`axpert-${serials.c}`)).toMatchObject({
    through: [{ position: 1 }],
    values: { loadActivePower: { value: 310 } },
  });
});

describe("settings", () => {
  test("that must agree and do not are told by name, value and unit; those that may differ are only listed", () => {
    const [a, b] = [plug("usb-1", serials.a), plug("usb-2", serials.b)];
    say(a, "QPIRI", { outputMode: "parallel", batteryBulkVoltage: 56.4, batteryType: "userDefined", chargerSourcePriority: "solarFirst" });
    say(b, "QPIRI", { outputMode: "parallel", batteryBulkVoltage: 54, batteryType: "userDefined", chargerSourcePriority: "onlySolar" });
    const { differences, alarms } = system.state();
    expect(differences.map(({ setting, mustAgree }) => [setting, mustAgree])).toEqual([
      ["chargerSourcePriority", false],
      ["batteryBulkVoltage", true],
    ]);
    expect(alarms).toMatchObject([{ code: "settings-differ", inverters: [a.id, b.id] }]);
    expect(alarms[0]?.message).toBe(
      `Bulk charging voltage differs: 56.4 V on ${a.id}, 54 V on ${b.id}. Units of one system need the same.`,
    );
    say(b, "QPIRI", { outputMode: "parallel", batteryBulkVoltage: 56.4, batteryType: "userDefined", chargerSourcePriority: "solarFirst" });
    expect(system.state()).toMatchObject({ differences: [], alarms: [] });
  });

  test("of a unit without a cable are compared as far as its record tells them", () => {
    const a = plug("usb-1", serials.a);
    say(a, "QPIRI", { outputMode: "parallel", batteryBulkVoltage: 56.4, maxChargeCurrent: 60 });
    tell(a, [record(serials.a, 100, { maxChargeCurrent: 60 }), record(serials.b, 100, { maxChargeCurrent: 40 })]);
    expect(system.state().differences).toMatchObject([
      { setting: "maxChargeCurrent", mustAgree: false, values: [{ value: 60 }, { inverter: `axpert-${serials.b}`, value: 40 }] },
    ]);
  });
});

test("a fault is told for as long as it is live", () => {
  const a = plug("usb-1", serials.a);
  tell(a, [record(serials.a, 100), record(serials.b, 0, { operatingMode: "fault", faultCode: "09" })]);
  expect(system.state().alarms).toMatchObject([
    { code: "unit-fault", severity: "error", message: `axpert-${serials.b} reports a fault, code 09.` },
  ]);
  tell(a, [record(serials.a, 100), record(serials.b, 0)]);
  expect(system.state().alarms).toEqual([]);
});

test("a unit that the configuration gives another id is one unit", () => {
  const a = plug("usb-1", serials.a);
  tell(a, [record(serials.a, 100), record(serials.b, 200)]);
  const id = registry.identify("usb-2", serials.b, { prefix: "axpert", wanted: "garage" });
  const garage: InverterInfo = { id, device: "serial:usb-2", simulated: false, serialNumber: serials.b };
  link(garage, "online");
  tell(a, [record(serials.a, 100), record(serials.b, 210)]);
  expect(system.state().members.map((member) => member.id)).toEqual([a.id, "garage"]);
});
